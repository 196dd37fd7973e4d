import WeirData
import WeirExpressions

extension Spec {
  /// Checks the spec against the stage types and the given parameters, without touching data.
  ///
  /// - Parameters:
  ///   - given: the values for parameters.
  ///   - now: seconds since 1970, from which `today` is counted.
  ///   - allowMissingParams: validates a spec by itself: what needs a parameter that has no value
  ///     is passed over, and the answer is `nil` without an error.
  ///   - problems: those of `parse` go in, all of them come out.
  /// - Returns: `nil` where there is any error.
  public func check(
    _ registry: StageRegistry, given: GivenParams = GivenParams(), now: Int64 = SpecClock.now(),
    allowMissingParams: Bool = false, problems: inout Problems
  ) -> CheckedSpec? {
    let today = today(now, &problems)
    let resolution = ParamResolution(
      declarations: params, names: paramNames, allowMissing: allowMissingParams, today: today)
    let own = SpecScope(
      params: resolution.resolve(given.read(&problems), &problems), today: today)
    var scopes: [SpecScope] = []
    for fragment in fragments {
      scopes.append(
        fragment.resolve(
          fragment.parent.map { scopes[$0] } ?? own, &problems))
    }
    checkReferences(&problems)

    var built: [BuiltStage] = []
    for declaration in stages {
      let scope = declaration.fragment.map { scopes[$0] } ?? own
      built.append(build(declaration, registry, scope, &problems))
    }
    var wiring = SpecWiring(spec: self, built: built, registry)
    let order = wiring.check()
    problems.add(contentsOf: wiring.problems)
    let edges = wiring.edges
    let budgets = errorBudgets(
      own, scopes, order ?? Array(stages.indices),
      takesRecords: { index in
        // Where the type or the edges of a stage are wrong, that has been said.
        guard built[index].manual?.kind == .sink, !edges[index].isEmpty else { return true }
        return edges[index].contains { $0.carries == .records || $0.carries == nil }
      }, &problems)
    guard !problems.hasErrors, let order,
      let checked = assemble(built, edges, order, own.params, budgets)
    else { return nil }
    return checked
  }

  /// The same, with the `--param` of a command line.
  public static func load(
    _ bytes: [UInt8], file: String, registry: StageRegistry,
    given: [(name: String, value: String)] = [], currentDirectory: String,
    allowMissingParams: Bool = false
  ) -> (CheckedSpec?, Problems) {
    load(
      bytes, file: file, registry: registry,
      given: GivenParams(given, currentDirectory: currentDirectory),
      allowMissingParams: allowMissingParams)
  }

  /// Parses and checks in one step.
  public static func load(
    _ bytes: [UInt8], file: String, registry: StageRegistry,
    given: GivenParams = GivenParams(), now: Int64 = SpecClock.now(),
    allowMissingParams: Bool = false
  ) -> (CheckedSpec?, Problems) {
    var (spec, problems) = parse(bytes, file: file)
    problems.explainMissingValues(registry)
    let checked = spec?.check(
      registry, given: given, now: now, allowMissingParams: allowMissingParams,
      problems: &problems)
    return (checked, problems)
  }

  /// The day of the run in the zone of the spec.
  private func today(_ now: Int64, _ problems: inout Problems) -> CivilDate {
    let utc = CivilDate(daysSinceEpoch: Int(now.dividedDown(by: 86_400).quotient))
    guard let zone, let name = zone.string,
      let civil = CivilZone(named: name, at: zone, &problems)
    else { return utc }
    let local = now + civil.period(at: now).offset
    return CivilDate(daysSinceEpoch: Int(local.dividedDown(by: 86_400).quotient))
  }
}

extension CivilZone {
  /// What a message says of the names that there are.
  static let expectation =
    "a name of the tz database such as \"Europe/Berlin\", an offset such as \"+01:00\", or \"UTC\""

  /// The same for a name in a spec; says so where there is no such zone.
  init?(named name: String, at node: SpecNode, _ problems: inout Problems) {
    guard let zone = CivilZone(named: name) else {
      problems.add(
        "unknown_zone", at: node, "there is no time zone \(shown(name))",
        expected: CivilZone.expectation,
        fix: CivilZone.likelyName(for: name).map { quoted($0) })
      return nil
    }
    self = zone
  }
}
