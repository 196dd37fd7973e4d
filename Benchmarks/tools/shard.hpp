// Reading and writing zstd shards of lines, for the tools beside this file.
#pragma once

#include <zstd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

[[noreturn]] inline void fail(const std::string &what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

/// Decompresses shards into a buffer of its own, with `padding` readable bytes behind the text.
class ShardReader {
 public:
  explicit ShardReader(size_t padding) : padding_(padding) {}
  ShardReader(const ShardReader &) = delete;
  ~ShardReader() { ZSTD_freeDCtx(context_); }

  /// Calls `take(text, length)` with what is there, again and again; it returns how many bytes it
  /// used, and the rest is shown again with what follows. Returns how many bytes nobody took; they
  /// stand at the start of `text()`.
  template <class Take>
  size_t read(const std::string &path, Take take) {
    FILE *file = std::fopen(path.c_str(), "rb");
    if (!file) fail("cannot open " + path);
    ZSTD_DCtx_reset(context_, ZSTD_reset_session_only);
    size_t kept = 0;
    size_t pending = 0;
    while (size_t count = std::fread(input_.data(), 1, input_.size(), file)) {
      ZSTD_inBuffer in{input_.data(), count, 0};
      bool full = false;
      while (in.pos < in.size || full) {
        if (kept + padding_ == text_.size()) text_.resize(2 * text_.size());
        ZSTD_outBuffer out{text_.data() + kept, text_.size() - padding_ - kept, 0};
        pending = ZSTD_decompressStream(context_, &out, &in);
        if (ZSTD_isError(pending)) fail(path + ": " + ZSTD_getErrorName(pending));
        full = out.pos == out.size;
        const size_t end = kept + out.pos;
        const size_t used = take(text_.data(), end);
        std::memmove(text_.data(), text_.data() + used, end - used);
        kept = end - used;
      }
    }
    if (std::ferror(file)) fail("cannot read " + path);
    std::fclose(file);
    if (pending != 0) fail(path + " is cut off");
    return kept;
  }

  const char *text() const { return text_.data(); }

  /// Calls `line(text, length)` with every line, without its line feed.
  template <class Line>
  void lines(const std::string &path, Line line) {
    const size_t rest = read(path, [&](const char *text, size_t length) {
      size_t start = 0;
      while (const void *hit = std::memchr(text + start, '\n', length - start)) {
        const size_t end = size_t(static_cast<const char *>(hit) - text);
        line(text + start, end - start);
        start = end + 1;
      }
      return start;
    });
    if (rest > 0) line(text(), rest);
  }

 private:
  const size_t padding_;
  ZSTD_DCtx *context_ = ZSTD_createDCtx();
  // Sizes from 64 KiB to 8 MiB made no difference that could be measured.
  std::vector<char> input_ = std::vector<char>(128 << 10);
  std::vector<char> text_ = std::vector<char>(1 << 20);
};
