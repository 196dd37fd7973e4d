import Glibc
import Testing
import WeirData
import WeirTesting

@Suite struct `Calls to the system` {
  @Test func `have the disk begin with a part of a file, and say where they could not`() throws {
    try withTemporaryFolder { folder in
      let text = [UInt8](repeating: 7, count: 3 << 20)
      let path = try folder.write(text, as: "file")
      let descriptor = open(path, O_RDWR | O_CLOEXEC)
      #expect(beginWriteBack(descriptor, 0..<(2 << 20)))
      #expect(beginWriteBack(descriptor, (2 << 20)..<text.count))
      #expect(try readFile(path) == text)
      close(descriptor)
    }
    #expect(!beginWriteBack(-1, 0..<1) && errno == EBADF)
  }
}
