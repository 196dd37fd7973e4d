import Testing
import WeirEngine

@Suite struct `A spec with random damage` {
  private let bytes = Array(goodSpec.utf8)

  /// Checks and renders; what comes out must hang together.
  private func check(_ bytes: [UInt8], _ what: @autoclosure () -> String) {
    let (spec, problems) = Spec.load(
      bytes, file: "m.json", registry: fakeRegistry, currentDirectory: "/")
    #expect((spec == nil) == problems.hasErrors, "\(what())")
    for problem in problems.sorted {
      #expect(problem.line >= 1 && problem.column >= 1, "\(what())")
      #expect(problem.range.upperBound <= problem.source.bytes.count, "\(what()): \(problem.code)")
    }
    #expect(problems.isEmpty == problems.text.utf8.isEmpty, "\(what())")
  }

  @Test func `survives every deletion of one byte`() {
    for index in bytes.indices {
      var changed = bytes
      changed.remove(at: index)
      check(changed, "without byte \(index)")
    }
  }

  @Test func `survives every cut`() {
    for end in bytes.indices { check(Array(bytes[..<end]), "the first \(end) bytes") }
  }

  @Test func `survives random bytes, also where structure stands`() {
    var state: UInt64 = 42
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let structure = Array("{}[]\",:\\'$#/ 0-.eé\n\u{0}".utf8)
    for round in 0..<2_000 {
      var changed = bytes
      for _ in 0...next(4) {
        let byte = next(2) == 0 ? structure[next(structure.count)] : UInt8(next(256))
        let place = next(changed.count)
        switch next(3) {
        case 0: changed[place] = byte
        case 1: changed.insert(byte, at: place)
        default: changed.removeSubrange(place..<min(changed.count, place + 1 + next(40)))
        }
      }
      check(changed, "round \(round)")
    }
  }

  @Test func `survives every value replaced by another`() {
    let values = ["null", "true", "0", "-1.5", "\"\"", "\"${param.market}\"", "[]", "{}", "[[{}]]"]
    var starts: [Range<Int>] = []
    var problems = Problems()
    let source = SpecSource(name: "m.json", bytes: bytes)
    func collect(_ node: SpecNode) {
      starts.append(node.range)
      for item in node.array ?? [] { collect(item) }
      for member in node.object ?? [] { collect(member.value) }
    }
    if let root = SpecJSON.parse(source, problems: &problems) { collect(root) }
    #expect(starts.count > 80)
    for range in starts {
      for value in values {
        check(
          Array(bytes[..<range.lowerBound]) + Array(value.utf8) + Array(bytes[range.upperBound...]),
          "\(value) at \(range)")
      }
    }
  }
}
