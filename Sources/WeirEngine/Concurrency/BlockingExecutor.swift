import Glibc
import Synchronization

/// Threads of Weir's own for work that waits on the disk, so that the cooperative pool, which has one
/// thread a core, never does.
public final class BlockingExecutor: TaskExecutor, @unchecked Sendable {
  private var mutex = pthread_mutex_t()
  private var condition = pthread_cond_t()
  private var queue: [UnownedJob] = []
  private var head = 0
  private var isStopping = false
  private var threadsMax: Int
  private var threads = 0
  /// Threads that wait for a job.
  private var idle = 0
  /// Called when a job is in the queue and its thread is not woken yet: for tests, set before the
  /// executor is used.
  var beforeWaking: @Sendable () -> Void = {}

  /// - Parameter threads: how many calls may block at once; where the system has fewer to give, that
  ///   many. The first is started now, the others when they are wanted.
  /// - Throws: `RunError` where it has none.
  public init(threads count: Int) throws {
    threadsMax = max(1, count)
    pthread_mutex_init(&mutex, nil)
    pthread_cond_init(&condition, nil)
    threads = 1
    let result = start()
    guard result == 0 else {
      throw RunError(
        code: "no_threads",
        message: "no thread can be started: \(String(cString: strerror(result)))",
        fix: "raise the limits of processes or memory of this user", isTransient: true)
    }
  }

  /// Starts a thread that is counted already.
  ///
  /// - Returns: 0, or the error of the system.
  private func start() -> Int32 {
    var thread = pthread_t()
    let result = startThread(&thread) { self.work() }
    if result == 0 { pthread_detach(thread) }
    return result
  }

  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    // The caller holds the executor only through the task whose job this is. Once it is in the queue it
    // can run, be the last one, and the executor be gone before this thread gets to the next line.
    let held = Unmanaged.passRetained(self)
    defer { held.release() }
    pthread_mutex_lock(&mutex)
    queue.append(job)
    let startsOne = queue.count - head > idle && threads < threadsMax
    if startsOne { threads += 1 }
    pthread_mutex_unlock(&mutex)
    beforeWaking()
    pthread_cond_signal(&condition)
    if startsOne, start() != 0 {
      // The system has no more: those that there are do it all.
      pthread_mutex_lock(&mutex)
      threads -= 1
      threadsMax = threads
      pthread_mutex_unlock(&mutex)
    }
  }

  /// Lets the threads end when the queue is empty.
  public func stop() {
    pthread_mutex_lock(&mutex)
    isStopping = true
    pthread_mutex_unlock(&mutex)
    pthread_cond_broadcast(&condition)
  }

  private func work() {
    while let job = next() {
      unsafe job.runSynchronously(on: asUnownedTaskExecutor())
    }
  }

  private func next() -> UnownedJob? {
    pthread_mutex_lock(&mutex)
    defer { pthread_mutex_unlock(&mutex) }
    while head == queue.count {
      if isStopping { return nil }
      idle += 1
      pthread_cond_wait(&condition, &mutex)
      idle -= 1
    }
    let job = queue[head]
    head += 1
    if head == queue.count {
      queue.removeAll(keepingCapacity: true)
      head = 0
    }
    return job
  }
}
