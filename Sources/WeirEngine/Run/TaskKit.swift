import Synchronization

/// What a task uses and the next one can use again: parsers with their memory and the strings that
/// they know, and the workers of maps, which keep nothing from record to record but what saves work.
///
/// No result depends on what a kit was used for before.
final class TaskKit: @unchecked Sendable {
  private let lane: Lane
  private let scanners = Mutex<[any BatchScanner]>([])
  private let encoders = Mutex<[PieceEncoder]>([])
  /// By node.
  private var maps: [Int: any MapWorker] = [:]
  private var partials: [Int: any ReducePartial] = [:]

  init(lane: Lane) {
    self.lane = lane
  }

  func scanner(_ index: Int) -> any BatchScanner {
    scanners.withLock { scanners in
      while scanners.count <= index { scanners.append(lane.source.makeScanner()) }
      return scanners[index]
    }
  }

  func encoder(_ index: Int) -> PieceEncoder {
    encoders.withLock { encoders in
      while encoders.count <= index { encoders.append(PieceEncoder()) }
      return encoders[index]
    }
  }

  /// The worker of a map; for the task's body only.
  func worker(of node: Int, _ map: any BoundMap) -> any MapWorker {
    if let worker = maps[node] { return worker }
    let worker = map.makeWorker()
    maps[node] = worker
    return worker
  }
}

extension TaskKit {
  /// An empty partial of a reduce; for the task's body only.
  func partial(of node: Int, _ reduce: any BoundReduce) -> any ReducePartial {
    partials.removeValue(forKey: node) ?? reduce.makePartial()
  }

  /// - Parameter partial: encoded.
  func give(_ partial: any ReducePartial, of node: Int) {
    if partial.reset() { partials[node] = partial }
  }
}

/// The kits that no task has at the moment.
final class KitPool: Sendable {
  private let lanes: [Lane]
  private let free: Mutex<[[TaskKit]]>

  init(lanes: [Lane]) {
    self.lanes = lanes
    free = Mutex(lanes.map { _ in [] })
  }

  func take(_ lane: Int) -> TaskKit {
    free.withLock { $0[lane].popLast() } ?? TaskKit(lane: lanes[lane])
  }

  /// A kit of a task that failed is not given back.
  func give(_ kit: TaskKit, _ lane: Int) { free.withLock { $0[lane].append(kit) } }
}
