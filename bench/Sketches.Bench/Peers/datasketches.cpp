// Apache DataSketches C++ at the other end of a pipe: one command a line, one answer a line. Compiled by PeerProcess.cs against the
// headers of a checkout that DATASKETCHES_CPP names; nothing of that library is in this repository.
#include <time.h>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>
#include "count_min.hpp"
#include "frequent_items_sketch.hpp"
#include "hll.hpp"

using namespace datasketches;
typedef count_min_sketch<int64_t> count_min;
typedef frequent_items_sketch<uint64_t> frequent_items;

static std::vector<uint64_t> ids;
static std::unique_ptr<count_min> last_count_min;
static std::unique_ptr<frequent_items> last_frequent;

// Time of this thread alone: the machine may be shared.
static double now_ns() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

template<typename F> static double per_id(F pass) {
  const double before = now_ns();
  pass();
  return (now_ns() - before) / ids.size();
}

static std::vector<char> bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  return std::vector<char>(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

template<typename T> static std::vector<T> array_of(const std::string& path) {
  const std::vector<char> bytes = bytes_of(path);
  const T* first = reinterpret_cast<const T*>(bytes.data());
  return std::vector<T>(first, first + bytes.size() / sizeof(T));
}

static void write(const std::string& path, const void* data, size_t size) {
  std::ofstream(path, std::ios::binary).write(static_cast<const char*>(data), size);
}

static void count_min_fixture(const std::string& dir, uint8_t rows, uint32_t buckets, uint64_t n, uint64_t seed) {
  count_min sketch(rows, buckets, seed);
  for (uint64_t i = 0; i < n; i++) sketch.update(i * i % 1009, static_cast<int64_t>(i % 7));
  std::ostringstream name;
  name << "count-min-" << int(rows) << "x" << buckets << "-n" << n << "-seed" << seed;
  const auto bytes = sketch.serialize();
  write(dir + "/" + name.str() + ".bin", bytes.data(), bytes.size());
  printf("%s.bin total %ld", name.str().c_str(), sketch.get_total_weight());
  for (uint64_t id = 0; id < 8; id++) printf(" %ld/%ld", sketch.get_estimate(id), sketch.get_upper_bound(id));
  printf("\n");
}

static void hll_fixture(const std::string& dir, uint8_t lg_k, uint64_t n, bool compact) {
  hll_sketch sketch(lg_k, HLL_8);
  for (uint64_t i = 0; i < n; i++) sketch.update(i);
  std::ostringstream name;
  name << "hll8-lgk" << int(lg_k) << "-n" << n << (compact ? "-compact" : "-updatable");
  const auto bytes = compact ? sketch.serialize_compact() : sketch.serialize_updatable();
  write(dir + "/" + name.str() + ".bin", bytes.data(), bytes.size());
  printf("%s.bin %.17g %.17g %.17g\n", name.str().c_str(), sketch.get_estimate(), sketch.get_lower_bound(2), sketch.get_upper_bound(2));
}

static void fixtures(const std::string& dir) {
  for (uint64_t n : {0, 1, 7, 8, 24, 25, 300, 2000, 100000})
    for (bool compact : {true, false}) hll_fixture(dir, 12, n, compact);
  hll_fixture(dir, 4, 5, true);
  hll_fixture(dir, 4, 1000, true);
  hll_fixture(dir, 14, 1000000, true);
  count_min_fixture(dir, 4, 128, 0, DEFAULT_SEED);
  count_min_fixture(dir, 4, 128, 10000, DEFAULT_SEED);
  count_min_fixture(dir, 3, 50, 500, 123);
}

static void answer(std::istringstream& line) {
  std::string command;
  line >> command;
  if (command == "load") {
    std::string path;
    line >> path;
    ids = array_of<uint64_t>(path);
    printf("%zu\n", ids.size());
  } else if (command == "count-min") {
    int rows, buckets;
    line >> rows >> buckets;
    last_count_min.reset();
    last_count_min.reset(new count_min(rows, buckets));
    count_min& sketch = *last_count_min;
    printf("%.6f\n", per_id([&] { for (uint64_t id : ids) sketch.update(id, 1); }));
  } else if (command == "count-min-estimates") {
    std::string from, to;
    line >> from >> to;
    std::vector<int64_t> estimates;
    for (uint64_t id : array_of<uint64_t>(from)) estimates.push_back(last_count_min->get_estimate(id));
    write(to, estimates.data(), estimates.size() * sizeof(int64_t));
    printf("%zu\n", estimates.size());
  } else if (command == "count-min-merge") {
    count_min other(last_count_min->get_num_hashes(), last_count_min->get_num_buckets());
    for (size_t i = 0; i < std::min<size_t>(ids.size(), 1000); i++) other.update(ids[i], 1);
    const double before = now_ns();
    for (int i = 0; i < 20; i++) last_count_min->merge(other);
    printf("%.6f\n", (now_ns() - before) / 20);
  } else if (command == "hll") {
    int lg_k;
    line >> lg_k;
    hll_sketch sketch(lg_k, HLL_8);
    const double ns = per_id([&] { for (uint64_t id : ids) sketch.update(id); });
    printf("%.6f %.6f\n", ns, sketch.get_estimate());
  } else if (command == "hll-trial") {
    // Another stream in every trial, and nothing measured: for errors.
    int lg_k;
    uint64_t seed, n;
    line >> lg_k >> seed >> n;
    hll_sketch sketch(lg_k, HLL_8);
    for (uint64_t i = 0; i < n; i++) sketch.update((seed << 32) + i);
    printf("%.6f\n", sketch.get_estimate());
  } else if (command == "frequent-items") {
    int lg_size;
    line >> lg_size;
    last_frequent.reset(new frequent_items(lg_size));
    frequent_items& sketch = *last_frequent;
    const double ns = per_id([&] { for (uint64_t id : ids) sketch.update(id); });
    printf("%.6f %lu\n", ns, sketch.get_maximum_error());
  } else if (command == "fixtures") {
    std::string dir;
    line >> dir;
    fixtures(dir);
    printf("done\n");
  } else if (command == "read-hll") {
    std::string path;
    line >> path;
    const std::vector<char> bytes = bytes_of(path);
    hll_sketch sketch = hll_sketch::deserialize(bytes.data(), bytes.size());
    printf("%.17g %.17g %.17g", sketch.get_estimate(), sketch.get_lower_bound(2), sketch.get_upper_bound(2));
    // It must go on counting, not only read.
    for (uint64_t i = 0; i < 1000; i++) sketch.update(1000000000 + i);
    printf(" %.17g\n", sketch.get_estimate());
  } else if (command == "read-count-min") {
    std::string path;
    uint64_t seed;
    line >> path >> seed;
    const std::vector<char> bytes = bytes_of(path);
    const count_min sketch = count_min::deserialize(bytes.data(), bytes.size(), seed);
    printf("%ld", sketch.get_total_weight());
    for (uint64_t id = 0; id < 8; id++) printf(" %ld", sketch.get_estimate(id));
    printf("\n");
  } else {
    printf("unknown command %s\n", command.c_str());
  }
}

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    try {
      std::istringstream in(line);
      answer(in);
    } catch (const std::exception& error) {
      printf("error: %s\n", error.what());
    }
    fflush(stdout);
  }
}
