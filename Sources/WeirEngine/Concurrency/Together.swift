/// Runs workers side by side until all are done. The first that fails cancels the others and its
/// error is the one thrown: a `CancellationError` only where nothing else went wrong.
///
/// Every child is waited for, so nothing runs on behind an error.
func together<Value: Sendable>(
  _ body: (inout TaskGroup<Result<Value, any Error>>) -> Void
) async throws -> [Value] {
  try await withTaskGroup(of: Result<Value, any Error>.self) { group in
    body(&group)
    return await collect(&group)
  }.get()
}

/// Runs `work` for 0 ..< count with at most `limit` at a time; the results are in order of the index.
func forEachIndex<Value: Sendable>(
  _ count: Int, atMost limit: Int, _ work: @escaping @Sendable (Int) async throws -> Value
) async throws -> [Value] {
  try await withTaskGroup(of: Result<(Int, Value), any Error>.self) { group in
    var next = 0
    var values = [Value?](repeating: nil, count: count)
    var failure: (any Error)?
    func start() {
      guard next < count, failure == nil else { return }
      let index = next
      next += 1
      group.addTask { await Result { (index, try await work(index)) } }
    }
    for _ in 0..<max(1, limit) { start() }
    while let result = await group.next() {
      switch result {
      case .success(let (index, value)):
        values[index] = value
        start()
      case .failure(let error):
        failure = worse(failure, error)
        group.cancelAll()
      }
    }
    if let failure { return Result<[Value], any Error>.failure(failure) }
    return .success(values.compactMap { $0 })
  }.get()
}

private func collect<Value: Sendable>(
  _ group: inout TaskGroup<Result<Value, any Error>>
) async -> Result<[Value], any Error> {
  var values: [Value] = []
  var failure: (any Error)?
  while let result = await group.next() {
    switch result {
    case .success(let value): values.append(value)
    case .failure(let error):
      failure = worse(failure, error)
      group.cancelAll()
    }
  }
  return failure.map { .failure($0) } ?? .success(values)
}

/// The error to report of two: the first one that is not just a cancellation.
func worse(_ a: (any Error)?, _ b: any Error) -> any Error {
  guard let a, !(a is CancellationError) else { return b }
  return a
}

extension Result where Failure == any Error {
  /// The outcome of `body`.
  init(_ body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
