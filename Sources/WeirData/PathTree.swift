import CSimdjson

/// Planned paths as a tree of keys, in the layout that the C scanner wants.
struct PathTree: Sendable {
  struct Node: Sendable {
    var key: [UInt8]
    /// Index of the path that ends here, or -1.
    var slot: Int
    /// Indexes of the nodes below: they lie next to each other.
    var children: Range<Int>
  }
  private(set) var nodes: [Node] = []
  private(set) var roots: Range<Int> = 0..<0

  init(_ paths: [FieldPath]) {
    roots = add(paths.enumerated().map { ($0.offset, $0.element.components[...]) })
  }

  private mutating func add(_ paths: [(slot: Int, rest: ArraySlice<[UInt8]>)]) -> Range<Int> {
    var groups: [(key: [UInt8], paths: [(Int, ArraySlice<[UInt8]>)])] = []
    for (slot, rest) in paths {
      guard let key = rest.first else { continue }
      if let i = groups.firstIndex(where: { $0.key == key }) {
        groups[i].paths.append((slot, rest.dropFirst()))
      } else {
        groups.append((key, [(slot, rest.dropFirst())]))
      }
    }
    let first = nodes.count
    for group in groups {
      let slot = group.paths.first { $0.1.isEmpty }?.0 ?? -1
      nodes.append(Node(key: group.key, slot: slot, children: 0..<0))
    }
    for (i, group) in groups.enumerated() {
      let below = group.paths.filter { !$0.1.isEmpty }
      if !below.isEmpty { nodes[first + i].children = add(below.map { ($0.0, $0.1) }) }
    }
    return first..<(first + groups.count)
  }

  /// The index of `key` among `siblings`.
  func find(_ key: some Collection<UInt8>, among siblings: Range<Int>) -> Int? {
    siblings.first { nodes[$0].key.elementsEqual(key) }
  }

  /// Calls `body` with the nodes as the C scanner reads them; it copies them.
  func withNodes<Result>(
    _ body: (UnsafeBufferPointer<weir_path_node>, Int) -> Result
  ) -> Result {
    let keys = nodes.flatMap(\.key)
    return keys.withUnsafeBufferPointer { keyBytes in
      var offset = 0
      let converted = nodes.map { node in
        defer { offset += node.key.count }
        return weir_path_node(
          key: keyBytes.baseAddress.map { $0 + offset }, key_length: UInt32(node.key.count),
          slot: Int32(node.slot), first_child: Int32(node.children.lowerBound),
          child_count: Int32(node.children.count))
      }
      return converted.withUnsafeBufferPointer { body($0, roots.count) }
    }
  }
}
