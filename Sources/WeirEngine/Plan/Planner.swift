import WeirData

extension Plan {
  /// Binds a checked spec. Looks at no data; reads the files that options name.
  ///
  /// - Returns: `nil` where `problems` has errors.
  ///
  /// - Parameter secrets: but for ``SecretUse/required`` the plan is not for running; `nil`: as it was for
  ///   the plan that the spec is from.
  public static func make(
    _ spec: CheckedSpec, problems: inout Problems, secrets: SecretUse? = nil
  ) -> Plan? {
    var spec = spec
    if let secrets { spec.secrets = secrets }
    var planner = Planner(spec: spec, files: ReferencedFiles())
    return planner.plan(&problems)
  }
}

/// Goes over the stages source by source and binds each for every way that records take to it.
private struct Planner {
  /// A graph of forks and joins can have very many ways through it.
  static let nodesMax = 1_000

  let spec: CheckedSpec
  let files: ReferencedFiles
  /// Stage -> (consumer, which of its inputs) of the edges that carry records out of it.
  var recordConsumers: [[(stage: Int, input: Int)]]
  /// By stage: the longest chain of barriers above it, which is the pass that it works in.
  var depths: [Int]
  var instanceCounts: [Int]
  var tooMany = false
  var advice: PlanAdvice
  /// Problems that the same stage shows on every way to it are said once.
  var reported: Set<Int> = []
  /// Joining stage -> all ways to it, where they are known.
  var ways: [Int: [JoinedWay]] = [:]
  /// The same as they are found.
  var foundWays: [Int: [JoinedWay]] = [:]

  init(spec: CheckedSpec, files: ReferencedFiles) {
    self.spec = spec
    self.files = files
    advice = PlanAdvice(spec)
    recordConsumers = Array(repeating: [], count: spec.stages.count)
    instanceCounts = Array(repeating: 0, count: spec.stages.count)
    depths = Array(repeating: 0, count: spec.stages.count)
    // Stages come after their inputs.
    for (index, stage) in spec.stages.enumerated() {
      for (place, input) in stage.inputs.enumerated() where input.carries == .records {
        recordConsumers[input.stage].append((index, place))
        let barrier = spec.stages[input.stage].kind == .barrier ? 1 : 0
        depths[index] = max(depths[index], depths[input.stage] + barrier)
      }
    }
  }

  mutating func plan(_ problems: inout Problems) -> Plan? {
    // What joins several ways is bound when all of them are known, one behind the other.
    for (index, stage) in spec.stages.enumerated() where stage.stage is any JoiningStage {
      var survey = Planner(spec: spec, files: files)
      survey.ways = ways
      var unheard = Problems()
      _ = survey.bindLanes(&unheard)
      ways[index] = survey.foundWays[index] ?? []
    }
    let lanes = bindLanes(&problems)
    checkPorts(lanes, &problems)
    checkBarriers(lanes, &problems)
    checkSinks(&problems)
    advice.checkPaths(&problems)
    if tooMany {
      problems.add(
        "too_many_ways", at: spec.stages[0].node,
        "there are more than \(Planner.nodesMax) ways from a source to a sink",
        fix: "join branches earlier, or split the pipeline")
    }
    advice.pointToFields(&problems)
    guard !problems.hasErrors else { return nil }
    return assemble(lanes)
  }

  private mutating func bindLanes(_ problems: inout Problems) -> [Lane] {
    var lanes: [Lane] = []
    for (index, stage) in spec.stages.enumerated() where stage.kind == .source {
      guard let source = stage.stage as? any SourceStage,
        let bound = source.bind(context(stage), &problems)
      else { continue }
      var lane = LaneBuilder(stage: index, source: bound)
      bindConsumers(of: index, parent: nil, scope: bound.scope, in: &lane, &problems)
      checkLedgerFields(in: lane, &problems)
      lanes.append(lane.build(ledgerBy: spec.ledgerBy))
    }
    return lanes
  }

  private func context(_ stage: CheckedStage) -> BindContext {
    BindContext(
      stageName: stage.name, params: stage.options.params, baseDirectory: spec.baseDirectory,
      files: files, secrets: spec.secrets, specZone: spec.zone)
  }

  /// Binds every consumer of the records that leave `producer`.
  private mutating func bindConsumers(
    of producer: Int, parent: Int?, scope: Scope, in lane: inout LaneBuilder,
    _ problems: inout Problems
  ) {
    for consumer in recordConsumers[producer] {
      guard lane.nodes.count < Planner.nodesMax else {
        tooMany = true
        return
      }
      bind(
        consumer.stage, input: consumer.input, parent: parent, scope: scope, in: &lane, &problems)
    }
  }

  private mutating func bind(
    _ index: Int, input place: Int, parent: Int?, scope: Scope, in lane: inout LaneBuilder,
    _ problems: inout Problems
  ) {
    let stage = spec.stages[index]
    let input = stage.inputs[place]
    var found = Problems()
    var behind = scope
    var work: Node.Work?
    if let joining = stage.stage as? any JoiningStage {
      let way = JoinedWay(input: input.node.string ?? "", node: input.node, scope: scope)
      foundWays[index, default: []].append(way)
      guard let ways = ways[index] else { return }
      work = joining.bind(&behind, way, among: ways, context(stage), &found).map { .map($0) }
    } else {
      work = makeWork(stage, scope: &behind, &found)
    }
    found.note(stagesAbove: lane.stages(above: parent))
    guard let work else {
      if reported.insert(index).inserted { problems.add(contentsOf: found) }
      return
    }
    if reported.insert(index).inserted { problems.add(contentsOf: found) }
    if case .barrier(let rule) = work, rule.draw == nil,
      let filter = lane.narrows(above: parent)
    {
      advice.warn(of: filter.stage, before: index, filter.fields, &problems)
    }
    advice.noteLosses(of: index, scope, behind)
    let before = Set(scope.fields.map(\.column))
    let node = lane.add(
      Node(
        stage: index, instance: instanceCounts[index], parent: parent,
        port: lane.ports(of: parent).firstIndex { same($0, input.port) } ?? 0,
        depth: depths[index],
        work: work,
        scope: scope,
        columnsWritten: behind.fields.map(\.column).filter { !before.contains($0) }))
    instanceCounts[index] += 1
    bindConsumers(of: index, parent: node, scope: behind, in: &lane, &problems)
  }

  private func makeWork(
    _ stage: CheckedStage, scope: inout Scope, _ problems: inout Problems
  ) -> Node.Work? {
    let context = context(stage)
    switch stage.stage {
    case let map as any MapStage where stage.kind == .map:
      return map.bind(&scope, context, &problems).map { .map($0) }
    case let barrier as any BarrierStage where stage.kind == .barrier:
      return barrier.bind(scope, context, &problems).map { .barrier($0) }
    case let reduce as any ReduceStage:
      return reduce.bind(scope, context, &problems).map { .reduce($0) }
    case let sink as any SinkStage:
      return sink.bindRecords(scope, context, &problems).map { .sink($0) }
    default:
      preconditionFailure("\(stage.type) is of none of the five kinds")
    }
  }

  private func checkLedgerFields(in lane: LaneBuilder, _ problems: inout Problems) {
    for field in spec.ledgerFields {
      let path = field.path
      if !lane.scopes.contains(where: { $0.field(path) != nil }) {
        let names = lane.scopes.first?.names ?? []
        problems.add(
          "unknown_field", at: field.node,
          "\"ledger_by\" names `\(path.text)`, which `\(spec.stages[lane.stage].name)` does not have",
          expected: oneOf(names, limit: 40),
          fix: nearest(to: path.text, among: names).map { quoted($0) }
            ?? "declare it under \"fields\" of the source, or take it out of \"ledger_by\"")
      }
    }
  }

  /// Records that leave by an output that nobody reads go nowhere.
  private func checkPorts(_ lanes: [Lane], _ problems: inout Problems) {
    for (index, stage) in spec.stages.enumerated() {
      let bound = lanes.lazy.flatMap(\.nodes).first { $0.stage == index }
      guard let ports = bound?.ports, !ports.isEmpty else { continue }
      for port in ports
      where !recordConsumers[index].contains(where: {
        same(spec.stages[$0.stage].inputs[$0.input].port, port)
      }) {
        problems.add(
          "unused_output", at: stage.nameNode,
          "no stage reads `\(stage.name).\(port)`: its records count as filtered",
          fix:
            "leave it so, or name \(quoted("\(stage.name).\(port)")) in the \"inputs\" of another stage",
          severity: .warning)
      }
    }
  }

  /// What comes to a barrier over several ways must be comparable, and told apart by its tuples.
  private func checkBarriers(_ lanes: [Lane], _ problems: inout Problems) {
    for (index, stage) in spec.stages.enumerated() where stage.kind == .barrier {
      let ways = lanes.map { lane in lane.nodes.filter { $0.stage == index } }
      if ways.contains(where: { $0.count > BarrierTuple.Packed.instancesMax }) {
        problems.add(
          "too_many_ways", at: stage.nameNode,
          "records reach `\(stage.name)` in more than \(BarrierTuple.Packed.instancesMax) ways",
          fix: "join branches earlier")
      }
      let rules = ways.joined().compactMap { node in
        if case .barrier(let rule) = node.work { rule } else { nil }
      }
      guard let first = rules.first else { continue }
      for (i, column) in first.order.enumerated() {
        let others = rules.map { $0.order[i].type.base }
        guard let other = others.first(where: { $0 != column.type.base }) else { continue }
        problems.add(
          "order_types_differ", at: stage.nameNode,
          "`\(column.field.text)` orders the records of `\(stage.name)`, and is \(column.type.base.rawValue) on one way to it and \(other.rawValue) on another",
          fix: "give it one type: declare it the same in every source, or normalize it")
      }
    }
  }

  private func checkSinks(_ problems: inout Problems) {
    for stage in spec.stages {
      guard let sink = stage.stage as? any SinkStage else { continue }
      if stage.inputs.contains(where: { $0.carries != .records }) {
        sink.checkResultPath(&problems)
      }
      checkInputs(of: stage, &problems)
    }
  }

  /// A file of one form: records of several stages can be joined, results cannot.
  private func checkInputs(of stage: CheckedStage, _ problems: inout Problems) {
    guard stage.inputs.count > 1, stage.inputs.contains(where: { $0.carries != .records }) else {
      return
    }
    problems.add(
      "too_many_inputs", at: stage.inputs[1].node,
      "`\(stage.name)` writes one table: only records can come from several stages",
      fix: "use a sink for each input")
  }

  private func assemble(_ lanes: [Lane]) -> Plan {
    let nodes = lanes.flatMap(\.nodes)
    var barriers: [BarrierPlan] = []
    var reduces: [ReducePlan] = []
    var resultSinks: [Int] = []
    for (index, stage) in spec.stages.enumerated() {
      let mine = nodes.filter { $0.stage == index }.sorted { $0.instance < $1.instance }
      switch stage.kind {
      case .barrier:
        guard case .barrier(let rule) = mine.first?.work else { continue }
        let wantsRemoved = spec.stages.contains { consumer in
          consumer.inputs.contains { $0.stage == index && $0.carries == .rows }
        }
        barriers.append(
          BarrierPlan(
            stage: index, depth: depths[index], keepsLast: rule.keepsLast,
            keeps: rule.draw?.count ?? 1, losesAs: rule.draw == nil ? .deduplicated : .filtered,
            instances: mine.count, keyNames: rule.key.map(\.field.text),
            wantsRemoved: wantsRemoved))
      case .reduce:
        reduces.append(
          ReducePlan(
            stage: index,
            instances: mine.compactMap { if case .reduce(let r) = $0.work { r } else { nil } }))
      case .sink where stage.inputs.contains { $0.carries != .records }:
        resultSinks.append(index)
      default: break
      }
    }
    let hasher = SHA256Hasher()
    hasher.update(Array("weir \(weirVersion)\n".utf8))
    hasher.update(sha256(spec.canonical))
    let referenced = files.entries.map { (path: $0.path, sha256: sha256($0.bytes)) }
    for file in referenced {
      hasher.update(sha256(Array(file.path.utf8)))
      hasher.update(file.sha256)
    }
    return Plan(
      spec: spec, lanes: lanes, barriers: barriers, reduces: reduces, resultSinks: resultSinks,
      passCount: (nodes.map(\.depth).max() ?? 0) + 1, hash: hasher.finish(),
      referencedFiles: referenced)
  }
}

/// Collects the nodes of one lane and works out what each pass needs.
private struct LaneBuilder {
  let stage: Int
  let source: any BoundSource
  var nodes: [Node] = []

  init(stage: Int, source: any BoundSource) {
    self.stage = stage
    self.source = source
  }

  var scopes: [Scope] { [source.scope] + nodes.map(\.scope) }

  mutating func add(_ node: Node) -> Int {
    nodes.append(node)
    let index = nodes.count - 1
    if let parent = node.parent { nodes[parent].children.append(index) }
    return index
  }

  /// The outputs of a node that has several.
  func ports(of node: Int?) -> [String] { node.map { nodes[$0].ports } ?? [] }

  /// The nearest stage above that may drop records for what is in them, and what it looks at.
  func narrows(above parent: Int?) -> (stage: Int, fields: [String])? {
    var at = parent
    while let index = at {
      let node = nodes[index]
      switch node.work {
      case .map(let map) where map.filters:
        let fields = node.scope.fields.filter { map.columnsRead.contains($0.column) }
        return (node.stage, fields.map(\.path.text))
      case .barrier(let rule) where rule.draw != nil: return (node.stage, [])
      default: at = node.parent
      }
    }
    return nil
  }

  /// The stages that records came through, the source too.
  func stages(above parent: Int?) -> [Int] {
    var above = [stage]
    var at = parent
    while let index = at {
      above.append(nodes[index].stage)
      at = nodes[index].parent
    }
    return above
  }

  func build(ledgerBy: [FieldPath]) -> Lane {
    var active = [Set<Int>](repeating: [], count: nodes.count)
    for i in nodes.indices.reversed() {
      active[i].insert(nodes[i].depth)
      for child in nodes[i].children { active[i].formUnion(active[child]) }
    }
    let passes = (nodes.map(\.depth).max() ?? 0) + 1
    let readings = (0..<passes).map { pass -> Lane.Reading in
      if pass == 0 { return .shard }
      let mine = nodes.indices.filter { nodes[$0].depth == pass }
      if mine.isEmpty { return .none }
      let needsShard = mine.contains { index in
        if case .sink = nodes[index].work { return true }
        return !nodes.hasBarrier(above: index)
      }
      return needsShard ? .shard : .retained
    }
    let retained = retainedColumns(readings)
    return Lane(
      stage: stage, source: source, nodes: nodes,
      roots: nodes.indices.filter { nodes[$0].parent == nil },
      columnCount: source.scope.columnCount,
      ledgerColumns: ledgerBy.map(ledgerColumns), readings: readings,
      retained: retained,
      retainsOffsets: Set(retained.keys.filter { below($0).contains { nodes[$0].readsOffsets } }),
      activePasses: active)
  }

  /// The columns in which a field has been seen, in the order of the nodes.
  private func ledgerColumns(_ path: FieldPath) -> [Int] {
    var columns: [Int] = []
    for scope in scopes {
      if let column = scope.field(path)?.column, !columns.contains(column) {
        columns.append(column)
      }
    }
    return columns.sorted()
  }

  private func retainedColumns(_ readings: [Lane.Reading]) -> [Int: [Int]] {
    let wanted = Set(
      readings.indices.filter { if case .retained = readings[$0] { true } else { false } })
    guard !wanted.isEmpty else { return [:] }
    var retained: [Int: [Int]] = [:]
    for (i, node) in nodes.enumerated() where !nodes.hasBarrier(above: i) {
      guard case .barrier = node.work else { continue }
      let all = below(i)
      let read = Set(all.flatMap { nodes[$0].columnsRead })
      retained[i] = read.subtracting(all.flatMap { nodes[$0].columnsWritten }).sorted()
    }
    return retained
  }

  /// The nodes below a node.
  private func below(_ node: Int) -> [Int] {
    var found: [Int] = []
    var rest = nodes[node].children
    while let next = rest.popLast() {
      found.append(next)
      rest.append(contentsOf: nodes[next].children)
    }
    return found
  }
}
