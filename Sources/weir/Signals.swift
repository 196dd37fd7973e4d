import Glibc
import Synchronization
import WeirEngine

/// Turns SIGINT and SIGTERM into a call, on a thread of its own; a second one ends the process.
///
/// Signals go to any thread, and threads are there before the first line of a command runs: so they
/// are caught by a handler, not blocked and waited for.
final class SignalWatch: Sendable {
  private let handler: Mutex<(@Sendable () -> Void)?> = Mutex(nil)

  /// The first signal that came, or 0.
  var signal: Int32 { received.load(ordering: .sequentiallyConsistent) }

  init() {
    // A reader that went away and a file over its limit are errors of the call, not ends of the run.
    Glibc.signal(SIGPIPE, SIG_IGN)
    Glibc.signal(SIGXFSZ, SIG_IGN)
    // Touched here, so that the handler finds them made.
    _ = signal
    sem_init(wakeup, 0, 0)
    startWatching()
    for number in [SIGINT, SIGTERM] {
      Glibc.signal(number) { number in
        let exchanged = received.compareExchange(
          expected: 0, desired: number, ordering: .sequentiallyConsistent)
        guard exchanged.exchanged else { _exit(128 + number) }
        sem_post(wakeup)
      }
    }
  }

  /// Calls `body` when a signal comes, at once if one has come already.
  func onSignal(_ body: @escaping @Sendable () -> Void) {
    handler.withLock { $0 = body }
    if signal != 0 { body() }
  }

  private func startWatching() {
    var thread = pthread_t()
    // Without the thread a signal ends the process as it would any other.
    if startThread(&thread, { self.watch() }) == 0 { pthread_detach(thread) }
  }

  private func watch() {
    while sem_wait(wakeup) != 0 {}
    let body = handler.withLock { $0 }
    body?()
  }
}

// What a signal handler may touch: it can capture nothing.
private let received = Atomic<Int32>(0)
private nonisolated(unsafe) let wakeup = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
