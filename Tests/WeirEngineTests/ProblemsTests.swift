import Glibc
import Testing

@testable import WeirEngine

@Suite struct `The problems of a spec` {
  private static let nowhere = SpecNode(
    kind: .null, range: 0..<0, pointer: .root, source: SpecSource(name: "p.json", bytes: []))

  private func problems(_ codes: [Int32]) -> Problems {
    var problems = Problems()
    for code in codes {
      problems.add(
        unreadable: FileError(path: "map.json", operation: "read", code: code), "unreadable_file",
        at: Self.nowhere, "it cannot be read", fix: "name another file")
    }
    return problems
  }

  /// A network file system that did not answer says nothing about the spec.
  @Test func `may pass where nothing was found but files that could not be read`() {
    #expect(problems([EIO, EMFILE]).mayPass)
    #expect(!problems([EIO, ENOENT]).mayPass)
    #expect(!problems([EACCES]).mayPass)
    #expect(!Problems().mayPass)
    var mixed = problems([EIO])
    mixed.add("bad", at: Self.nowhere, "something else", severity: .warning)
    #expect(mixed.mayPass)
    mixed.add("bad", at: Self.nowhere, "something else")
    #expect(!mixed.mayPass)
  }

  @Test func `may pass likewise when they are put together`() {
    var both = problems([EIO])
    both.add(contentsOf: problems([ESTALE]))
    #expect(both.mayPass && both.errorCount == 2)
    both.add(contentsOf: problems([ENOENT]))
    #expect(!both.mayPass && both.errorCount == 3)
  }

  @Test func `say of a disk what to do about the disk`() {
    #expect(problems([EIO]).sorted[0].fix == FileError(path: "", operation: "", code: EIO).fix)
    #expect(problems([ENOENT]).sorted[0].fix == "name another file")
  }
}
