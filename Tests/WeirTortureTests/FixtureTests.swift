import Testing
import WeirTesting

@Suite(.enabled(if: FaultShim.isThere, "\(FaultShim.obstacle)"))
struct `The run that is to be struck` {
  @Test func `makes what a reader who knows nothing of Weir works out`() throws {
    for scenario in try Scenario.all() {
      let complaints = try scenario.truthComplaints()
      #expect(complaints.isEmpty, "\(scenario.name): \(complaints)")
      #expect(scenario.old != scenario.new)
      let folder = try scenario.folder()
      defer { folder.remove() }
      #expect(scenario.recovered(folder) == [])
    }
  }

  @Test func `comes to every kind of call`() throws {
    let calls = Set(try Scenario.all().flatMap(\.points).map(\.call))
    for call in [
      "create", "open", "read", "write", "fsync", "close", "truncate", "lock", "rename",
      "link", "symlink", "unlink", "rmdir", "mkdir", "pwrite", "pread",
    ] {
      #expect(calls.contains(call), "no \(call)")
    }
  }
}
