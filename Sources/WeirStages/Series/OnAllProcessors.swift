import Glibc
import Synchronization
import WeirEngine

/// `make` of 0 ..< `count`, in that order, worked out on as many threads as there are processors.
///
/// Threads of its own: it is called where nothing can be awaited, and computes for seconds. Where the
/// system gives none, the caller's thread does all of it.
func onAllProcessors<Value: Sendable>(
  _ count: Int, piece: Int, _ make: @escaping @Sendable (Int) -> Value
) -> [Value] {
  let useful = count / (4 * piece)
  guard useful > 1 else { return (0..<count).map(make) }
  let wanted = min(max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))), useful)
  let results = Mutex<[(start: Int, values: [Value])]>([])
  let next = Atomic<Int>(0)
  let work: @Sendable () -> Void = {
    while true {
      let start = next.wrappingAdd(piece, ordering: .relaxed).oldValue
      guard start < count else { return }
      let values = (start..<min(count, start + piece)).map(make)
      results.withLock { $0.append((start, values)) }
    }
  }
  var started: [pthread_t] = []
  for _ in 1..<wanted {
    var thread = pthread_t()
    guard startThread(&thread, work) == 0 else { break }
    started.append(thread)
  }
  work()
  for thread in started { pthread_join(thread, nil) }
  return results.withLock { $0.sorted { $0.start < $1.start }.flatMap(\.values) }
}
