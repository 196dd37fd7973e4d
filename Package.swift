// swift-tools-version: 6.2
import PackageDescription

let house: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "weir",
  products: [
    .executable(name: "weir", targets: ["weir"]),
    .executable(name: "weir-bench", targets: ["weir-bench"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    // C libraries from the system; of the product only WeirData sees them, and WeirExpressions RE2.
    .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CXXHash", providers: [.apt(["libxxhash-dev"])]),
    .systemLibrary(name: "CUtf8proc", providers: [.apt(["libutf8proc-dev"])]),
    .systemLibrary(name: "CCrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CLinux"),
    .target(name: "CSimdjson", linkerSettings: [.linkedLibrary("simdjson")]),
    .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),

    // The product, lowest first: a target imports only what stands above it here.
    .target(
      name: "WeirData",
      dependencies: [
        "CZstd", "CZlib", "CXXHash", "CUtf8proc", "CCrypto", "CLinux", "CSimdjson",
      ],
      swiftSettings: house),
    .target(name: "WeirExpressions", dependencies: ["WeirData", "CRE2"], swiftSettings: house),
    .target(name: "WeirStatistics", swiftSettings: house),
    .target(
      name: "WeirEngine", dependencies: ["WeirData", "WeirExpressions"], swiftSettings: house),
    .target(
      name: "WeirStages",
      dependencies: ["WeirData", "WeirExpressions", "WeirEngine", "WeirStatistics"],
      swiftSettings: house),
    .target(
      name: "WeirCatalog",
      dependencies: [
        "WeirData", "WeirEngine", .product(name: "GRDB", package: "GRDB.swift"),
      ],
      swiftSettings: house),
    .executableTarget(
      name: "weir",
      dependencies: [
        "WeirData", "WeirExpressions", "WeirEngine", "WeirStages", "WeirCatalog",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: house,
      // A process starts in two thirds of the time, and runs where no Swift is installed.
      linkerSettings: [
        .unsafeFlags(["-static-stdlib", "-use-ld=lld"]),
        .linkedLibrary("CoreFoundation"), .linkedLibrary("_FoundationICU"),
        .linkedLibrary("_FoundationCShims"), .linkedLibrary("_FoundationCollections"),
      ]),

    // Tools for those who build Weir.
    .target(
      name: "WeirTesting",
      dependencies: ["CZlib", "WeirData", "WeirStatistics", "WeirEngine", "WeirStages"],
      swiftSettings: house),
    .executableTarget(
      name: "weir-bench",
      dependencies: [
        "WeirData", "WeirExpressions", "WeirStatistics", "WeirEngine", "WeirStages", "WeirTesting",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: house),

    .testTarget(
      name: "WeirDataTests", dependencies: ["WeirData", "WeirTesting"], swiftSettings: house),
    .testTarget(
      name: "WeirExpressionsTests", dependencies: ["WeirData", "WeirExpressions", "WeirTesting"],
      swiftSettings: house),
    .testTarget(
      name: "WeirStatisticsTests", dependencies: ["WeirData", "WeirStatistics", "WeirTesting"],
      swiftSettings: house),
    .testTarget(
      name: "WeirEngineTests", dependencies: ["WeirData", "WeirEngine", "WeirTesting"],
      swiftSettings: house),
    .testTarget(
      name: "WeirStagesTests",
      dependencies: ["WeirData", "WeirEngine", "WeirStages", "WeirStatistics", "WeirTesting"],
      swiftSettings: house),
    .testTarget(
      name: "WeirCatalogTests",
      dependencies: [
        "WeirData", "WeirEngine", "WeirCatalog", "WeirStages", "WeirTesting",
        .product(name: "GRDB", package: "GRDB.swift"),
      ],
      swiftSettings: house),
    // These run the program `weir`, which is built with them. It is no dependency: the tests would be
    // linked as it is.
    .testTarget(
      name: "WeirEndToEndTests",
      dependencies: ["WeirData", "WeirEngine", "WeirStages", "WeirTesting", "weir-bench"],
      swiftSettings: house),
    .testTarget(
      name: "WeirTortureTests", dependencies: ["WeirData", "WeirEngine", "WeirTesting"],
      swiftSettings: house),
  ],
  cxxLanguageStandard: .cxx17
)
