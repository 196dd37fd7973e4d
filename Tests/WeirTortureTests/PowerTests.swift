import Glibc
import Testing
import WeirTesting

/// Two ways to cut the power: a model of a disk that keeps what was flushed and no more, which needs
/// nothing and tries every state; and a real file system that is shut down, which needs root.
@Suite(.enabled(if: FaultShim.isThere, "\(FaultShim.obstacle)"))
struct `A power cut` {
  @Test func `leaves the old outputs or the new ones on a disk that forgets what was not flushed`()
    throws
  {
    var cases: [TortureCase] = []
    var points = 0
    for (turn, scenario) in try Scenario.all().enumerated() {
      let folder = try scenario.folder()
      defer { folder.remove() }
      let place = folder.path
      let trace = place + ".trace"
      defer { unlink(trace) }
      let model = try DiskModel(of: folder.path)
      let outcome = folder.weir(scenario.arguments, faults: Faults(trace: trace))
      #expect(outcome.exit == 0, "\(outcome.errors)")
      let records = try TraceRecord.read(try readFile(trace))
      let moments = Torture.some(Array(records.indices), oneIn: 50, turn: turn * 7)
      points += moments.count
      var counts: [String: Int] = [:]
      for (i, record) in records.enumerated() {
        try model.apply(record)
        counts[record.text, default: 0] += 1
        let isLast = i == records.count - 1
        guard isLast || moments.contains(i) || Torture.only != nil else { continue }
        var losses: [DiskModel.Loss] = [
          .everythingUnflushed, .bytes, .zeros, .some(UInt64(i) * 2 + 1),
        ]
        if Torture.isFull { losses.append(.some(UInt64(i) * 2)) }
        for loss in losses {
          let state = model.state(after: loss)
          cases.append(
            TortureCase(
              family: "power",
              name: "power cut | \(scenario.name) | after change \(i) | \(loss.text)"
            ) {
              // The trace has other ids of runs each time: the change is told by its number.
              try lost(state, scenario, at: place, mustBeNew: isLast).map {
                "\($0) (after \(record.text))"
              }
            })
        }
      }
    }
    torture("power cuts, model", points: points, cases)
  }

  /// The outputs are whole, and the next run finishes whatever is left.
  private func lost(
    _ state: Snapshot, _ scenario: Scenario, at place: String, mustBeNew: Bool
  ) throws -> [String] {
    let folder = try CaseFolder()
    defer { folder.remove() }
    try state.moved(from: place, to: folder.path).restore(in: folder.path)
    let (version, torn) = scenario.version(in: folder)
    var complaints = torn
    if mustBeNew, version != .new {
      complaints.append(
        "the run had said that it was done, and the outputs are the \(version) ones")
    }
    // What is in the quarantine is nowhere else.
    if version == .new { complaints += scenario.books(folder) }
    return complaints + scenario.recovered(folder)
  }

  @Test(.enabled(if: LoopDisk.isPossible, "needs root, loop devices and mkfs.ext4"))
  func `leaves the old outputs or the new ones on ext4`() throws {
    var cases: [TortureCase] = []
    var points = 0
    for (turn, scenario) in try Scenario.all().enumerated() {
      let changing = scenario.points.filter(\.changesTheDisk)
      let struck = Torture.some(changing, oneIn: 60, turn: turn * 9)
      points += struck.count
      for point in struck {
        for flag in [1, 2] {
          cases.append(
            TortureCase(
              family: "ext4",
              name: "power cut on ext4, flag \(flag) | \(scenario.name) | \(point.name)"
            ) { try cut(scenario, point, flag) })
        }
      }
    }
    torture("power cuts, ext4", points: points, cases)
  }

  private func cut(_ scenario: Scenario, _ point: FaultPoint, _ flag: Int) throws -> [String] {
    let disk = try LoopDisk()
    defer { disk.remove() }
    let folder = CaseFolder(at: disk.mountPoint + "/case")
    try makeFolder(folder.path)
    try scenario.template.restore(in: folder.path)
    try disk.flush()
    let outcome = folder.weir(
      scenario.arguments, faults: Faults(point: point, action: .cut(flag)))
    // How often workers write down what they kept is not the same each time.
    if outcome.exit == 0, point.isOfTheDigests { return scenario.recovered(folder) }
    guard outcome.signal == SIGKILL else {
      return ["the power was not cut: \(outcome.exitText) \(outcome.errors)"]
    }
    try disk.plugInAgain()
    let (_, torn) = scenario.version(in: folder)
    return torn + scenario.recovered(folder)
  }
}

/// A namespace has all mounts of the moment in which it was made, and holds their file systems: one
/// that was shut down would be mounted again as it is. So it is made while there is none.
enum Mounts {
  private static nonisolated(unsafe) let lock = {
    let lock = UnsafeMutablePointer<pthread_rwlock_t>.allocate(capacity: 1)
    pthread_rwlock_init(lock, nil)
    return lock
  }()

  static func share() { pthread_rwlock_rdlock(lock) }
  static func own() { pthread_rwlock_wrlock(lock) }
  static func giveBack() { pthread_rwlock_unlock(lock) }
}

/// An ext4 file system in a file in memory.
struct LoopDisk {
  let image: String
  var mountPoint: String { image + ".mount" }

  static let isPossible: Bool = {
    guard geteuid() == 0, let disk = try? LoopDisk() else { return false }
    disk.remove()
    return true
  }()

  init() throws {
    let folder = try CaseFolder()
    image = folder.path
    folder.remove()
    Mounts.share()
    let made = open(image, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard made >= 0, ftruncate(made, 24 << 20) == 0 else {
      throw FileFailure(path: image, code: errno)
    }
    close(made)
    do {
      try LoopDisk.command("mkfs.ext4", "-q", "-F", image)
      try makeFolder(mountPoint)
      try mount()
    } catch {
      remove()
      throw error
    }
  }

  private func mount() throws { try LoopDisk.command("mount", "-o", "loop", image, mountPoint) }

  /// Makes sure of all that is there.
  func flush() throws { try LoopDisk.command("sync", "-f", mountPoint) }

  /// What happens when the power is back.
  func plugInAgain() throws {
    try LoopDisk.command("umount", mountPoint)
    try mount()
  }

  func remove() {
    // Detached: a child that another thread starts may have a file of it open until it is there.
    umount2(mountPoint, Int32(MNT_DETACH))
    rmdir(mountPoint)
    unlink(image)
    Mounts.giveBack()
  }

  private static func command(_ words: String...) throws {
    let outcome = try RunningBinary.run(words[0], Array(words.dropFirst()))
    guard outcome.exit == 0 else { throw Trouble("\(words[0]): \(outcome.errors)") }
  }
}
