import Glibc
import Synchronization
import WeirData
import WeirTesting

@testable import WeirEngine

/// A run to strike: what stands in its folder before, how it is started, and what must come of it.
struct Scenario: Sendable {
  var name: String
  /// Arguments of `weir run` besides the spec.
  var arguments: [String]
  /// Before the run.
  var template: Snapshot
  /// The outputs before it by path; `nil` where there are none yet.
  var old: [String: [UInt8]]?
  /// What a run that nobody disturbs makes of it.
  var new: [String: [UInt8]]
  var ledger: [UInt8]
  /// Decompressed.
  var quarantine: [UInt8]
  var truth: Nightly.Truth
  /// Tasks whose results are kept before the run, and how many of them it takes.
  var tasksKeptBefore: Int
  var tasksReused: Int
  /// All points of that run, in the order in which it came to them.
  var points: [FaultPoint]

  static let out = "out/night/all"

  /// The least memory that one worker can work with when batches are small: nothing is kept in it.
  static let tightMemory = MemoryShares.baseBytes + MemoryShares.workerBytes(batchBytes: 4 << 10)

  private static let before = Nightly(seed: 1, days: [0, 1, 2])
  /// A day later: a shard more, and one that was replaced.
  private static let after: Nightly = {
    var night = Nightly(seed: 1, days: [0, 1, 2, 3], records: 60)
    night.shards[1].lines = Nightly(seed: 2, days: [1]).shards[0].lines
    // Enough for a file in the spool.
    night.shards[3].lines += Nightly(seed: 3, days: [3], records: 900).shards[0].lines
    return night
  }()

  /// The first run ever, the run of the next night, and the same with next to no memory.
  static func all() throws -> [Scenario] { try prepared.get() }

  static func named(_ name: String) throws -> Scenario { try all().first { $0.name == name }! }

  private static let prepared = Result {
    [
      try Scenario("first", previous: nil, ["--workers", "1"]),
      try Scenario("next", previous: before, ["--workers", "2", "--keep", "1"]),
      try Scenario(
        "tight", previous: before,
        ["--workers", "1", "--batch-kib", "4", "--memory", "\(tightMemory)b"]),
    ]
  }

  init(_ name: String, previous: Nightly?, _ arguments: [String]) throws {
    self.name = name
    self.arguments = arguments
    let night = Scenario.after
    truth = night.truth
    let folder = try CaseFolder()
    defer { folder.remove() }
    if let previous {
      try previous.write(in: folder.path)
      let outcome = folder.weir(arguments)
      guard outcome.exit == 0 else { throw Trouble(outcome.errors) }
      old = try folder.outputs()
      for shard in previous.shards { unlink(folder.path + "/" + shard.path) }
    }
    try night.write(in: folder.path)
    template = try Snapshot(of: folder.path)
    tasksKeptBefore = folder.tasksKept
    // In a copy, as every case is: times and inodes are others there.
    let copy = try CaseFolder()
    defer { copy.remove() }
    try template.restore(in: copy.path)
    let log = copy.path + ".log"
    defer { unlink(log) }
    let outcome = copy.weir(arguments, faults: Faults(log: log))
    guard outcome.exit == 0 else { throw Trouble(outcome.errors) }
    tasksReused = outcome.json?["reused"]?.integer ?? 0
    new = try copy.outputs() ?? [:]
    ledger = try copy.ofLastRun("ledger.json")
    quarantine = try decodedText(copy.ofLastRun("quarantine.jsonl.zst"))
    points = lines(of: try readFile(log)).map { FaultPoint($0) }
  }

  /// The scenario in a folder of its own.
  func folder() throws -> CaseFolder {
    let folder = try CaseFolder()
    try template.restore(in: folder.path)
    return folder
  }
}

struct Trouble: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}

/// What the shim is asked for.
struct Faults {
  var point: FaultPoint?
  var action: FaultAction?
  var random: (seed: UInt64, odds: Int)?
  /// Files outside the folder of the run.
  var log: String?
  var trace: String?
  /// Calls outside it are let through; else the folder of the case.
  var root: String?
}

/// A folder in memory in which one case happens.
struct CaseFolder: Sendable {
  let path: String

  init() throws {
    // In memory where that can be had: the disk would only make it slower.
    let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(parent)/weir-torture-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw FileFailure(path: parent, code: errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// A folder that is there already.
  init(at path: String) { self.path = path }

  func remove() { removeAll(path) }

  static let run = ["run", "p.json", "--json", "--progress", "none"]

  /// Runs `weir run p.json` here, or another command.
  func weir(
    _ arguments: [String], command: [String] = run, faults: Faults? = nil, prefix: [String] = []
  ) -> RunningBinary.Outcome {
    start(arguments, command: command, faults: faults, prefix: prefix).wait()
  }

  /// Starts it; ``Watch`` ends it where it hangs.
  func start(
    _ arguments: [String], command: [String] = run, faults: Faults? = nil, prefix: [String] = []
  ) -> RunningBinary {
    let words = command + ["--workspace", path] + arguments
    do {
      let child = try RunningBinary(
        RunningBinary.weir!, words, in: path, prefix: prefix + (faults.map(environment) ?? []))
      Watch.shared.add(child.pid)
      return child
    } catch {
      fatalError("weir could not be started: \(error)")
    }
  }

  /// Put in front of the command, so that nothing else is preloaded.
  private func environment(_ faults: Faults) -> [String] {
    var words = [
      "env", "LD_PRELOAD=\(FaultShim.library!)", "WEIR_FAULT_ROOT=\(faults.root ?? path)",
    ]
    if let point = faults.point { words.append("WEIR_FAULT_POINT=\(point.name)") }
    if let action = faults.action { words.append("WEIR_FAULT_DO=\(action.text)") }
    if let random = faults.random {
      words.append("WEIR_FAULT_RANDOM=\(random.seed),\(random.odds)")
    }
    if let log = faults.log { words.append("WEIR_FAULT_LOG=\(log)") }
    if let trace = faults.trace { words.append("WEIR_FAULT_TRACE=\(trace)") }
    return words
  }

  /// The outputs by path; `nil` where nothing stands there.
  func outputs() throws -> [String: [UInt8]]? {
    var status = stat()
    guard lstat(path + "/" + Scenario.out, &status) == 0 else { return nil }
    return try filesBelow(path + "/" + Scenario.out)
  }

  /// Tasks whose results are kept: records in the log of the digests.
  var tasksKept: Int {
    let bytes = (try? readFile(path + "/.weir/digests/tasks.log")) ?? []
    return bytes.count / 48
  }

  /// Names of the records of runs, the oldest first.
  var runs: [String] { listFolder(path + "/.weir/runs") }

  func runState(_ run: String) -> JSONValue? {
    guard let bytes = try? readFile("\(path)/.weir/runs/\(run)/run.json") else { return nil }
    return JSONValue(parsing: bytes)
  }

  /// A file of the record of the last run that went well.
  func ofLastRun(_ name: String) throws -> [UInt8] {
    let done = runs.filter { runState($0)?["status"]?.string == "done" }
    // The names of two runs of one second are not in order.
    let last = done.max {
      (runState($0)?["ended"]?.string ?? "") < (runState($1)?["ended"]?.string ?? "")
    }
    guard let last else { throw Trouble("no run has a record that says it is done") }
    return try readFile("\(path)/.weir/runs/\(last)/\(name)")
  }
}

/// Removes a file, or a folder with what is in it; follows no links.
func removeAll(_ path: String) {
  var status = stat()
  guard lstat(path, &status) == 0 else { return }
  if status.st_mode & S_IFMT == S_IFDIR {
    for name in listFolder(path) { removeAll(path + "/" + name) }
    rmdir(path)
  } else {
    unlink(path)
  }
}

/// Ends processes that take longer than ``Torture/patience``: the case then fails by their signal.
final class Watch: Sendable {
  static let shared = Watch()
  /// Linux gives a number again as soon as 32,768 processes and threads have come: a torture has that
  /// many within ``Torture/patience``, so the start tells two apart.
  private let watched = Mutex<[(pid: pid_t, start: Int, end: ContinuousClock.Instant)]>([])

  private init() {
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { argument in
        let watch = Unmanaged<Watch>.fromOpaque(argument!).takeRetainedValue()
        while true {
          usleep(500_000)
          watch.look()
        }
      }, Unmanaged.passRetained(self).toOpaque())
    pthread_detach(thread)
  }

  func add(_ pid: pid_t) {
    guard let status = ProcessIdentity.status(of: Int(pid)) else { return }
    let end = ContinuousClock.now + .seconds(Torture.patience)
    watched.withLock { $0.append((pid, status.start, end)) }
  }

  private func look() {
    let now = ContinuousClock.now
    watched.withLock { watched in
      for (pid, start, end) in watched where end < now {
        guard let status = ProcessIdentity.status(of: Int(pid)), !status.isDead,
          status.start == start
        else { continue }
        print("torture: process \(pid) takes too long and is ended by signal \(SIGABRT)")
        kill(pid, SIGABRT)
      }
      watched.removeAll { $0.end < now }
    }
  }
}
