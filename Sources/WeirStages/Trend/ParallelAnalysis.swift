import Glibc
import Synchronization
import WeirStatistics

/// ``analyze(_:settings:)`` on as many threads as there are processors; the result is the same.
///
/// Threads of its own: it is called where nothing can be awaited, and computes for seconds. Where the system
/// gives none, the caller's thread does all of it.
func analyzeOnAllProcessors(_ series: [TrendSeries], settings: TrendSettings) -> TrendReport {
  let processors = sysconf(Int32(_SC_NPROCESSORS_ONLN))
  // A thread costs about as much as a few series.
  let wanted = min(max(1, Int(processors)), series.count / 64)
  guard wanted > 1 else { return analyze(series, settings: settings) }
  let work = SharedAnalysis(series, settings)
  var threads: [pthread_t] = []
  for _ in 1..<wanted {
    var thread = pthread_t()
    let box = Unmanaged.passRetained(work)
    let result = pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<SharedAnalysis>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, box.toOpaque())
    guard result == 0 else {
      box.release()
      break
    }
    threads.append(thread)
  }
  work.run()
  for thread in threads { pthread_join(thread, nil) }
  return assembleReport(series, work.analyses(), settings: settings)
}

/// Series that several threads take pieces of.
private final class SharedAnalysis: Sendable {
  private static let piece = 16

  private let series: [TrendSeries]
  private let settings: TrendSettings
  private let next = Atomic<Int>(0)
  private let done = Mutex<[(start: Int, analyses: [SeriesAnalysis])]>([])

  init(_ series: [TrendSeries], _ settings: TrendSettings) {
    self.series = series
    self.settings = settings
  }

  func run() {
    while true {
      let start = next.wrappingAdd(Self.piece, ordering: .relaxed).oldValue
      guard start < series.count else { return }
      let end = min(series.count, start + Self.piece)
      let analyses = series[start..<end].map { analyzeSeries($0, settings: settings) }
      done.withLock { $0.append((start, analyses)) }
    }
  }

  /// Call when all threads are done.
  func analyses() -> [SeriesAnalysis] {
    done.withLock { $0.sorted { $0.start < $1.start }.flatMap(\.analyses) }
  }
}
