import WeirData

/// Collects the problems of one check, so that all are shown at once.
public struct Problems: Sendable {
  /// More than these are only counted: a text can hold a mistake in every byte.
  static let storedLimit = 1_000
  /// More than these are not shown.
  public static let shownLimit = 100

  private var stored: [SpecProblem] = []
  /// Problems that were counted but not kept.
  public private(set) var dropped = 0
  private var errors = 0
  private var transientErrors = 0

  public init() {}

  public var isEmpty: Bool { stored.isEmpty }
  public var hasErrors: Bool { errors > 0 }
  public var errorCount: Int { errors }
  public var count: Int { stored.count + dropped }
  /// Whether the same spec may well be taken another time: all that was found is what could not be read.
  public var mayPass: Bool { hasErrors && transientErrors == errors }

  public mutating func add(_ problem: SpecProblem) {
    if problem.severity == .error {
      errors += 1
      if problem.isTransient { transientErrors += 1 }
    }
    guard stored.count < Problems.storedLimit else {
      dropped += 1
      return
    }
    var problem = problem
    if !problem.isLookalikeNamed, let letter = problem.lookalike {
      problem.isLookalikeNamed = true
      problem.message +=
        ": its \(letter.letter) is not the Latin \(letter.latin), but \(letter.code), which looks like it (\(letter.script))"
    }
    problem.message = clipped(problem.message)
    problem.expected = problem.expected.map { clipped($0) }
    problem.fix = problem.fix.map { clipped($0) }
    if problem.related.allSatisfy({ !$0.isInclude }) {
      var at = problem.source.includedAt
      while let place = at {
        problem.related.append(
          .init("included here", source: place.source, offset: place.offset, isInclude: true))
        at = place.source.includedAt
      }
    }
    stored.append(problem)
  }

  /// An error of which only the number is kept.
  mutating func countUnseen() {
    errors += 1
    dropped += 1
  }

  /// Adds a problem at a value.
  public mutating func add(
    _ code: String, at node: SpecNode, _ message: String, expected: String? = nil,
    fix: String? = nil, severity: SpecProblem.Severity = .error,
    related: [SpecProblem.Related] = []
  ) {
    add(
      SpecProblem(
        code: code, severity: severity, source: node.source, range: node.range,
        pointer: node.pointer, message: message, expected: expected, fix: fix,
        related: related))
  }

  /// Adds a problem with a field that no stage provides.
  mutating func add(
    missing field: String, _ code: String, at node: SpecNode, _ message: String,
    expected: String?, fix: String?
  ) {
    var problem = SpecProblem(
      code: code, severity: .error, source: node.source, range: node.range, pointer: node.pointer,
      message: message, expected: expected, fix: fix, related: [])
    problem.missingField = field
    add(problem)
  }

  /// Adds that a file could not be read.
  ///
  /// - Parameter fix: where the cause lies in what was asked for, and not in the disk.
  public mutating func add(
    unreadable error: FileError, _ code: String, at node: SpecNode, _ message: String, fix: String
  ) {
    add(
      SpecProblem(
        code: code, severity: .error, source: node.source, range: node.range,
        pointer: node.pointer, message: message, fix: error.isTransient ? error.fix : fix,
        related: [], isTransient: error.isTransient))
  }

  /// Adds a problem inside a string value, such as an expression or a path template:
  /// `within` are UTF-8 offsets of the string's value, which are carried over its escapes.
  public mutating func add(
    _ code: String, at node: SpecNode, within: Range<Int>, _ message: String,
    expected: String? = nil, fix: String? = nil, severity: SpecProblem.Severity = .error
  ) {
    var place = node
    place.range = node.sourceRange(within)
    add(code, at: place, message, expected: expected, fix: fix, severity: severity)
  }

  public mutating func add(contentsOf other: Problems) {
    for problem in other.stored { add(problem) }
    dropped += other.dropped
    let kept = other.stored.filter { $0.severity == .error }
    errors += other.errors - kept.count
    transientErrors += other.transientErrors - kept.count(where: \.isTransient)
  }

  /// Takes back the last problem, where it is of this code and stands behind a place: a later one says it
  /// better.
  ///
  /// - Returns: whether there was one.
  mutating func takeBackLast(_ code: String, behind place: Int) -> Bool {
    guard let last = stored.last, same(last.code, code), last.range.lowerBound >= place else {
      return false
    }
    stored.removeLast()
    errors -= 1
    return true
  }

  /// Says of problems with missing fields by which way records come.
  mutating func note(stagesAbove: [Int]) {
    for index in stored.indices where stored[index].missingField != nil {
      stored[index].stagesAbove = stagesAbove
    }
  }

  /// Says more of problems, when more is known; not another severity.
  mutating func change(_ body: (inout SpecProblem) -> Void) {
    for index in stored.indices { body(&stored[index]) }
  }

  /// Gives problems another fix.
  mutating func mend(_ fix: (SpecProblem) -> String?) {
    for index in stored.indices { stored[index].fix = fix(stored[index]) ?? stored[index].fix }
  }

  /// By file, then place, then the order in which they were found.
  public var sorted: [SpecProblem] {
    stored.enumerated().sorted { a, b in
      if a.element.file != b.element.file {
        return a.element.file.utf8.lexicographicallyPrecedes(b.element.file.utf8)
      }
      let (x, y) = (a.element.range, b.element.range)
      return (x.lowerBound, x.upperBound, a.offset) < (y.lowerBound, y.upperBound, b.offset)
    }.map(\.element)
  }
}
