import Glibc
import Testing
import WeirData
import WeirTesting

@testable import WeirEngine

@Suite struct `The output directory` {
  private func publish(
    _ folder: TemporaryFolder, _ files: [String: String], key: String, keep: Int = 3,
    id: String = "r"
  ) throws {
    let output = try OutputDirectory.open(path: folder.file("out"), runID: id, holder: "me")
    defer { output.unlock() }
    for (path, text) in files {
      let writer = try output.create(path)
      try writer.write(Array(text.utf8))
      _ = try writer.finish()
    }
    try output.swap(
      output.prepare(key: key, manifest: Array("manifest of \(key)".utf8)).0, keep: keep)
  }

  private func read(_ folder: TemporaryFolder) throws -> [String: String] {
    try filesBelow(folder.file("out")).mapValues { String(decoding: $0, as: UTF8.self) }
  }

  private func directories(_ folder: TemporaryFolder) -> [String] {
    listFolder(folder.path).filter { $0.hasPrefix(".out@") }
  }

  @Test func `shows a run when it is complete and not before`() throws {
    try withTemporaryFolder { folder in
      try publish(folder, ["a/b.txt": "one"], key: "k1")
      #expect(try read(folder) == ["a/b.txt": "one", "manifest.json": "manifest of k1"])
      let output = try OutputDirectory.open(path: folder.file("out"), runID: "x", holder: "me")
      defer { output.unlock() }
      try output.create("c.txt").write([1])
      #expect(try read(folder) == ["a/b.txt": "one", "manifest.json": "manifest of k1"])
      try output.discard()
      #expect(directories(folder) == [".out@k1"])
    }
  }

  @Test func `cannot have the mark of runs in its name: another output would prune it`() throws {
    try withTemporaryFolder { folder in
      let error = #expect(throws: RunError.self) {
        try OutputDirectory.open(path: folder.file("out@b"), runID: "r", holder: "me")
      }
      #expect(error?.code == "bad_output_name")
      #expect(listFolder(folder.path) == [])
    }
  }

  @Test func `is swapped as a whole`() throws {
    try withTemporaryFolder { folder in
      try publish(folder, ["a.txt": "one", "b.txt": "one"], key: "k1")
      try publish(folder, ["b.txt": "two", "c.txt": "two"], key: "k2")
      #expect(
        try read(folder) == ["b.txt": "two", "c.txt": "two", "manifest.json": "manifest of k2"])
    }
  }

  @Test(arguments: [1, 2, 3])
  func `keeps as many runs as asked, the newest`(keep: Int) throws {
    try withTemporaryFolder { folder in
      for i in 1...5 {
        try publish(folder, ["a.txt": "\(i)"], key: "k\(i)", keep: keep)
        // Times of the system are coarser than runs this small.
        for (age, name) in directories(folder).enumerated() where name != ".out@k\(i)" {
          var times = [timeval](repeating: timeval(tv_sec: 1_000 + age, tv_usec: 0), count: 2)
          utimes(folder.file(name), &times)
        }
      }
      #expect(directories(folder) == (6 - keep...5).map { ".out@k\($0)" })
      #expect(try read(folder)["a.txt"] == "5")
    }
  }

  @Test func `uses the directory of an equal run again`() throws {
    try withTemporaryFolder { folder in
      try publish(folder, ["a.txt": "one"], key: "k1")
      try publish(folder, ["a.txt": "two"], key: "k2")
      try publish(folder, ["a.txt": "one"], key: "k1", keep: 1)
      #expect(directories(folder) == [".out@k1"])
      #expect(try read(folder)["a.txt"] == "one")
    }
  }

  @Test(arguments: ["changed", "added", "removed"])
  func `does not use an old directory that somebody touched`(how: String) throws {
    try withTemporaryFolder { folder in
      try publish(folder, ["a.txt": "one", "b.txt": "b"], key: "k1")
      try publish(folder, ["a.txt": "two"], key: "k2")
      switch how {
      case "changed": try folder.write("ONE", at: ".out@k1/a.txt")
      case "added": try folder.write("more", at: ".out@k1/c.txt")
      default: unlink(folder.file(".out@k1/b.txt"))
      }
      try publish(folder, ["a.txt": "one", "b.txt": "b"], key: "k1")
      #expect(
        try read(folder) == ["a.txt": "one", "b.txt": "b", "manifest.json": "manifest of k1"])
    }
  }

  @Test func `may be empty, and nothing else that Weir did not make`() throws {
    try withTemporaryFolder { folder in
      try makeFolder(folder.file("out"))
      try publish(folder, ["a.txt": "one"], key: "k1")
      #expect(try read(folder)["a.txt"] == "one")
    }
    for what in ["a folder with a file", "a file", "a link elsewhere", "a dangling link"] {
      try withTemporaryFolder { folder in
        switch what {
        case "a folder with a file": try folder.write("mine", at: "out/x.txt")
        case "a file": try folder.write("mine", at: "out")
        case "a link elsewhere":
          try folder.write("mine", at: "other/x.txt")
          symlink("other", folder.file("out"))
        default: symlink("nowhere", folder.file("out"))
        }
        let before = try filesBelow(folder.path).filter { $0.key != ".out.lock" }
        let error = #expect(throws: RunError.self) {
          try publish(folder, ["a.txt": "one"], key: "k1")
        }
        #expect(error?.code == "output_not_ours", "\(what)")
        #expect(try filesBelow(folder.path).filter { $0.key != ".out.lock" } == before, "\(what)")
      }
    }
  }

  @Test func `is cleared of what dead runs left`() throws {
    try withTemporaryFolder { folder in
      try folder.write("half", at: ".out@staging-dead/a/b.txt")
      symlink(".out@k0", folder.file(".out@staging-link"))
      try folder.write("other", at: ".out2@staging-live/a.txt")
      try publish(folder, ["a.txt": "one"], key: "k1")
      #expect(directories(folder) == [".out@k1"])
      #expect(try readFile(folder.file(".out2@staging-live/a.txt")) == Array("other".utf8))
    }
  }

  @Test func `has one writer at a time, who is named`() throws {
    try withTemporaryFolder { folder in
      let path = folder.file("out")
      let first = try OutputDirectory.open(path: path, runID: "1", holder: "run 1 on here")
      let held = #expect(throws: LockHeld.self) {
        _ = try OutputDirectory.open(path: path, runID: "2", holder: "run 2")
      }
      #expect(held?.holder == "run 1 on here")
      // The second one took nothing away from the first.
      try first.create("a.txt").write([65])
      try first.swap(first.prepare(key: "k1", manifest: []).0, keep: 3)
      first.unlock()
      #expect(try read(folder)["a.txt"] == "A")
      let second = try OutputDirectory.open(path: path, runID: "2", holder: "run 2")
      #expect(second.lock.deadHolder == nil)
      second.unlock()
      #expect(try readFile(folder.file(".out.lock")) == Array("run 2\nended".utf8))
    }
  }

  /// Whoever takes the lock says so a moment later: until then the name of one before stands there.
  @Test func `does not name a run that gave the lock back for the one that has it`() throws {
    try withTemporaryFolder { folder in
      let path = folder.file(".out.lock")
      try writeFile(Array("run 1\nended".utf8), to: path)
      let descriptor = open(path, O_RDWR | O_CLOEXEC)
      defer { close(descriptor) }
      #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
      func holder() -> String? {
        let held = #expect(throws: LockHeld.self) { try OutputLock.take(path, holder: "run 3") }
        return held?.holder
      }
      #expect(holder() == "a run that has not said yet who it is")
      #expect(ftruncate(descriptor, 0) == 0 && pwrite(descriptor, "run 2", 5, 0) == 5)
      #expect(holder() == "run 2")
      flock(descriptor, LOCK_UN)
      let lock = try OutputLock.take(path, holder: "run 3")
      #expect(lock.deadHolder == "run 2")
      lock.giveBack()
    }
  }

  @Test(arguments: [("a", "a"), ("a", "a/b"), ("a/b", "a"), ("a", "manifest.json")])
  func `refuses two files in one place`(first: String, second: String) throws {
    try withTemporaryFolder { folder in
      let output = try OutputDirectory.open(path: folder.file("out"), runID: "1", holder: "")
      defer { output.unlock() }
      _ = try output.create(first)
      let error = #expect(throws: RunError.self) { _ = try output.create(second) }
      #expect(error?.code == "sink_collision")
    }
  }

  @Test func `stands with its new content when an old run cannot be removed`() throws {
    try withTemporaryFolder { folder in
      try publish(folder, ["a.txt": "one"], key: "k1")
      try publish(folder, ["a.txt": "two"], key: "k2")
      // A busy directory cannot be removed, by nobody.
      guard mount("none", folder.file(".out@k1"), "tmpfs", 0, nil) == 0 else { return }
      defer { umount(folder.file(".out@k1")) }
      try publish(folder, ["a.txt": "three"], key: "k3", keep: 1)
      #expect(try read(folder)["a.txt"] == "three")
    }
  }
}

@Suite struct `The workspace` {
  @Test func `has one secret, however many ask at once`() async throws {
    try await withTemporaryFolder { folder in
      for round in 0..<20 {
        try makeFolder(folder.file("\(round)"))
        let workspace = Workspace(path: folder.file("\(round)"))
        let secrets = try await withThrowingTaskGroup(of: [UInt8].self) { group in
          for _ in 0..<8 { group.addTask { try workspace.secret() } }
          var all: [[UInt8]] = []
          for try await secret in group { all.append(secret) }
          return all
        }
        #expect(Set(secrets).count == 1 && secrets[0].count == 16)
        #expect(listFolder(workspace.path) == ["secret"])
      }
    }
  }

  @Test func `keeps its secret to its owner`() throws {
    try withTemporaryFolder { folder in
      let workspace = Workspace(path: folder.path)
      _ = try workspace.secret()
      var status = stat()
      #expect(stat(folder.file("secret"), &status) == 0 && status.st_mode & 0o777 == 0o600)
    }
  }

  @Test func `says so when its secret is damaged`() throws {
    try withTemporaryFolder { folder in
      try folder.write("short", at: "secret")
      let error = #expect(throws: RunError.self) { _ = try Workspace(path: folder.path).secret() }
      #expect(error?.code == "workspace_damaged")
    }
  }

  @Test func `is the nearest above the spec`() throws {
    try withTemporaryFolder { folder in
      try makeFolder(folder.file("a/b/c"))
      try makeFolder(folder.file("a/.weir"))
      let found = Workspace.find(given: nil, spec: folder.file("a/b/c/p.json"))
      #expect(found.path == folder.file("a/.weir"))
      #expect(Workspace.find(given: "w", spec: folder.file("a/b/p.json")).path == "w/.weir")
    }
  }
}
