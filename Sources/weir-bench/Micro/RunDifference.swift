import Glibc
import WeirEngine
import WeirStages
import WeirTesting

/// What a stage costs a whole run: the CPU time of a run with it less that of one without.
struct RunDifference {
  let data: String
  private(set) var rows = 0

  init(data: String) { self.data = data }

  mutating func round(_ step: MicroStep, into times: inout MicroTimes) async throws {
    let plain = MicroSpec(data: data)
    var more = plain
    if step == .dedupe { more.dedupes = true } else { more.writes = true }
    let without = try await cpuSeconds(plain)
    times.add(step, try await cpuSeconds(more) - without)
  }

  /// Of one run with one worker; over all threads of the process.
  private mutating func cpuSeconds(_ spec: MicroSpec) async throws -> Double {
    let text = spec.text
    let progress = Progress()
    let seconds = try await withTemporaryFolder { folder in
      let plan = try makePlan(text, file: "micro.json")
      var options = RunOptions(workers: 1, workspace: Workspace(path: folder.file(".weir")))
      options.outDirectory = folder.file("out")
      let begin = processSeconds()
      _ = try await plan.run(options, progress: progress)
      return processSeconds() - begin
    }
    rows = progress.rows
    return seconds
  }
}

/// CPU time of all threads of this process, in seconds.
private func processSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
