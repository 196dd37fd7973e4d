import ArgumentParser
import Glibc
import WeirData
import WeirEngine

enum ProgressStyle: String, ExpressibleByArgument, CaseIterable {
  /// A bar on a terminal, JSON lines otherwise.
  case auto
  case bar, json, none
}

/// Shows on stderr how far a run is, until its task is cancelled.
struct ProgressDisplay {
  let style: ProgressStyle
  let progress: Progress

  private var resolved: ProgressStyle {
    style == .auto ? (isatty(STDERR_FILENO) == 1 ? .bar : .json) : style
  }

  func run() async {
    let style = resolved
    guard style != .none else { return }
    let clock = ContinuousClock()
    let started = clock.now
    let pause: Duration = style == .bar ? .milliseconds(100) : .seconds(1)
    while !Task.isCancelled {
      do { try await clock.sleep(for: pause) } catch { break }
      let elapsed = started.duration(to: clock.now)
      let seconds =
        Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
      if style == .bar { showBar(seconds) } else { tell(jsonLine(seconds)) }
    }
    if style == .bar { clear() }
  }

  private func showBar(_ seconds: Double) {
    let total = max(1, progress.bytesInAll)
    let share = min(1, Double(progress.bytes) / Double(total))
    let width = 24
    let filled = Int(share * Double(width))
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
    let rate = Double(progress.bytes) / 1e6 / max(0.001, seconds)
    let left = share > 0.01 ? fixed(seconds / share - seconds, 0) + " s left" : ""
    write(
      "\r\u{1B}[K\(bar) \(Int(share * 100)) %  \(grouped(progress.rows)) rows  \(fixed(rate, 1)) MB/s  \(left)"
    )
  }

  private func clear() { write("\r\u{1B}[K") }

  private func write(_ text: String) {
    do { try emit(text, to: STDERR_FILENO) } catch {}
  }

  private func jsonLine(_ seconds: Double) -> String {
    JSONValue.object([
      JSONMember("event", "progress"),
      JSONMember("seconds", .number((seconds * 10).rounded() / 10)),
      JSONMember("rows", .int(progress.rows)), JSONMember("bytes", .int(progress.bytes)),
      JSONMember("bytes_total", .int(progress.bytesInAll)),
      JSONMember("shards", .int(progress.shards)),
      JSONMember("shards_total", .int(progress.shardsInAll)),
    ]).text
  }
}
