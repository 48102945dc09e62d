using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Sketch.Sketches;
using Sketch.Tests.Sketches;

namespace Sketch.Bench.Sketches;

/// <summary>A million increments of a stream into a count-min sketch and its peers; ns are for one increment.</summary>
[Config(typeof(InProcessConfig))]
[MemoryDiagnoser(displayGenColumns: false)]
public class CountMinBench
{
    private const int Increments = 1 << 20;

    private ulong[] _ids = [];
    private uint[] _deltas = [];
    private uint[] _estimates = [];
    private CountMinSketch _sketch = null!;
    private SumSketch _sums = null!;
    private TextbookCountMin _textbook = null!;
    private Dictionary<ulong, long> _dictionary = null!;
    private ConcurrentDictionary<ulong, long> _concurrent = null!;

    [Params("zipf 1.05 of 10M", "uniform of 10M")]
    public string Stream { get; set; } = "";

    [Params(1, 16)]
    public int MiB { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        Random random = new(1);
        _ids = Stream.StartsWith("zipf", StringComparison.Ordinal)
            ? Streams.Zipf(Increments, 10_000_000, 1.05, seed: 1)
            : [.. Enumerable.Range(0, Increments).Select(_ => Streams.Id((ulong)random.Next(10_000_000)))];
        _deltas = Streams.Ones(Increments);
        _estimates = new uint[Increments];
        _sketch = new CountMinSketch((long)MiB << 20, new SketchKey(1, 2));
        _sums = new SumSketch((long)MiB << 20, new SketchKey(1, 2));
        _textbook = new TextbookCountMin((long)MiB << 20);
        // Full of what the stream brings: a branch predictor must not learn an empty sketch by heart.
        _sketch.Add(_ids, _deltas);
        _dictionary = new Dictionary<ulong, long>(Increments);
        _concurrent = new ConcurrentDictionary<ulong, long>(1, Increments);
    }

    [Benchmark(OperationsPerInvoke = Increments, Baseline = true)]
    public void Sketch_batch() => _sketch.Add(_ids, _deltas);

    [Benchmark(OperationsPerInvoke = Increments)]
    public void Sketch_one_by_one()
    {
        for (int i = 0; i < _ids.Length; i++)
            _sketch.Add(_ids[i], _deltas[i]);
    }

    [Benchmark(OperationsPerInvoke = Increments)]
    public void Sketch_estimates() => _sketch.Estimate(_ids, _estimates);

    [Benchmark(OperationsPerInvoke = Increments)]
    public void Sketch_signed_with_hot_ids()
    {
        for (int i = 0; i < _ids.Length; i++)
            _sums.Add(_ids[i], _deltas[i]);
    }

    [Benchmark(OperationsPerInvoke = Increments)]
    public void Textbook_count_min()
    {
        for (int i = 0; i < _ids.Length; i++)
            _textbook.Add(_ids[i], _deltas[i]);
    }

    [Benchmark(OperationsPerInvoke = Increments)]
    public void Dictionary()
    {
        for (int i = 0; i < _ids.Length; i++)
            CollectionsMarshal.GetValueRefOrAddDefault(_dictionary, _ids[i], out _) += _deltas[i];
    }

    [Benchmark(OperationsPerInvoke = Increments)]
    public void ConcurrentDictionary()
    {
        for (int i = 0; i < _ids.Length; i++)
            _concurrent.AddOrUpdate(_ids[i], static (_, delta) => delta, static (_, sum, delta) => sum + delta, (long)_deltas[i]);
    }
}
