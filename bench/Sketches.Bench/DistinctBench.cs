using System.Runtime.InteropServices;
using System.Text;
using BenchmarkDotNet.Attributes;
using Sketch.Sketches;
using Sketch.Tests.Sketches;

namespace Sketch.Bench.Sketches;

/// <summary>HyperLogLog and heavy hitters; ns are for one element, or for one merge or estimate.</summary>
[Config(typeof(InProcessConfig))]
[MemoryDiagnoser(displayGenColumns: false)]
public class DistinctBench
{
    private const int Elements = 1 << 20;

    private readonly SketchKey _key = new(1, 2);
    private ulong[] _hashes = [];
    private ulong[] _zipf = [];
    private ulong[] _ownHashes = [];
    private byte[] _element = [];
    private HyperLogLog _state = null!;
    private HyperLogLog _other = null!;
    private HyperLogLog _martingaleState = null!;
    private DistinctMartingale _martingale = null!;
    private HeavyHitters _heavy = null!;
    private HashSet<ulong> _set = null!;
    private CountMinSketch _sketch = null!;
    private CountMinSketch _otherSketch = null!;

    [GlobalSetup]
    public void Setup()
    {
        _hashes = [.. Enumerable.Range(0, Elements).Select(i => Streams.Id((ulong)i))];
        _zipf = Streams.Zipf(Elements, 10_000_000, 1.05, seed: 1);
        _ownHashes = new ulong[Elements];
        _element = Encoding.UTF8.GetBytes("a member's name of 24 by");
        _state = new HyperLogLog(_key.KeyId, 14);
        _other = new HyperLogLog(_key.KeyId, 14);
        _martingaleState = new HyperLogLog(_key.KeyId, 14);
        _state.Add(_hashes);
        _other.Add(_zipf);
        _martingaleState.Add(_hashes);
        _martingale = new DistinctMartingale(_martingaleState, 0);
        _heavy = new HeavyHitters(1 << 14);
        _set = new HashSet<ulong>(Elements);
        _sketch = new CountMinSketch(16 << 20, _key);
        _otherSketch = new CountMinSketch(16 << 20, _key);
    }

    [Benchmark(OperationsPerInvoke = Elements, Baseline = true)]
    public void HyperLogLog_batch() => _state.Add(_hashes);

    [Benchmark(OperationsPerInvoke = Elements)]
    public void HyperLogLog_one_by_one()
    {
        foreach (ulong hash in _hashes)
            _state.Add(hash);
    }

    [Benchmark(OperationsPerInvoke = Elements)]
    public void SipHash_of_ids_in_lanes() => ElementHash.ComputeEach(_key, _zipf, _ownHashes);

    [Benchmark(OperationsPerInvoke = Elements)]
    public void SipHash_of_ids_scalar()
    {
        for (int i = 0; i < _zipf.Length; i++)
            _ownHashes[i] = ElementHash.Compute(_key, MemoryMarshal.AsBytes(_zipf.AsSpan(i, 1)));
    }

    [Benchmark(OperationsPerInvoke = Elements)]
    public void Martingale_batch() => _martingale.Add(_hashes);

    [Benchmark(OperationsPerInvoke = Elements)]
    public void Martingale()
    {
        foreach (ulong hash in _hashes)
            _martingale.Add(hash);
    }

    [Benchmark(OperationsPerInvoke = Elements)]
    public void HashSet()
    {
        foreach (ulong hash in _hashes)
            _set.Add(hash);
    }

    [Benchmark]
    public ulong SipHash_of_24_bytes() => ElementHash.Compute(_key, _element);

    [Benchmark]
    public double HyperLogLog_estimate() => _state.Estimate();

    [Benchmark]
    public void HyperLogLog_merge() => _state.Merge(_other);

    [Benchmark(OperationsPerInvoke = Elements)]
    public void HeavyHitters_16384_of_zipf()
    {
        foreach (ulong id in _zipf)
            _heavy.Add(id, 1);
    }

    [Benchmark]
    public void CountMin_merge_16_MiB() => _sketch.Merge(_otherSketch);
}
