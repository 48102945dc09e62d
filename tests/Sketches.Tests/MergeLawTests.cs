using System.Buffers;
using CsCheck;
using Sketch.Sketches;

namespace Sketch.Tests.Sketches;

/// <summary>Laws of merging, over random inputs. CsCheck prints the seed of a failure; CsCheck_Seed repeats it.</summary>
public sealed class MergeLawTests
{
    private const ulong KeyId = 3;

    private static readonly Gen<HyperLogLog> States =
        from precision in Gen.Const(8)
        from size in Gen.OneOf(Gen.Int[0, 60], Gen.Int[0, 2_000])
        from start in Gen.ULong[0, 1_000]
        select With(precision, start, size);

    private static readonly Gen<List<(ulong Id, long Delta)>> Weights =
        Gen.Select(Gen.ULong[0, 60], Gen.Long[1, 50]).List[0, 300];

    private static HyperLogLog With(int precision, ulong start, int size)
    {
        HyperLogLog state = new(KeyId, precision);
        for (int i = 0; i < size; i++)
            state.Add(Streams.Id(start + (ulong)i));
        return state;
    }

    private static byte[] Merged(params HyperLogLog[] parts)
    {
        HyperLogLog all = new(KeyId, 8);
        foreach (HyperLogLog part in parts)
            all.Merge(part);
        ArrayBufferWriter<byte> writer = new();
        all.Save(writer);
        return writer.WrittenSpan.ToArray();
    }

    private static HeavyHitters Table(List<(ulong Id, long Delta)> weights, int capacity)
    {
        HeavyHitters table = new(capacity);
        foreach ((ulong id, long delta) in weights)
            table.Add(id, delta);
        return table;
    }

    [Fact]
    public void HyperLogLog_merges_in_any_order_to_the_same_bytes() =>
        Gen.Select(States, States, States).Sample(
            (a, b, c) =>
            {
                byte[] left = Merged(a, b, c);
                return left.SequenceEqual(Merged(c, b, a))
                    && left.SequenceEqual(Merged(a, HyperLogLog.Load(Merged(b, c), KeyId)))
                    && left.SequenceEqual(Merged(a, b, c, a, a));
            },
            iter: 500);

    [Fact]
    public void HyperLogLog_with_nothing_is_itself() =>
        States.Sample(a => Merged(a).SequenceEqual(Merged(a, new HyperLogLog(KeyId, 8))), iter: 300);

    [Fact]
    public void Heavy_hitters_keep_their_bounds_in_any_merge_order() =>
        Gen.Select(Weights, Weights, Weights).Sample(
            (a, b, c) =>
            {
                Dictionary<ulong, long> truth = [];
                foreach ((ulong id, long delta) in (IEnumerable<(ulong, long)>)[.. a, .. b, .. c])
                    truth[id] = truth.GetValueOrDefault(id) + delta;
                foreach (List<(ulong, long)>[] order in (List<(ulong, long)>[][])[[a, b, c], [c, a, b]])
                {
                    HeavyHitters all = Table(order[0], 8);
                    HeavyHitters rest = Table(order[1], 20);
                    rest.Merge(Table(order[2], 5));
                    all.Merge(rest);
                    for (ulong id = 0; id <= 60; id++)
                    {
                        HeavyHitter bounds = all.Bounds(id);
                        long weight = truth.GetValueOrDefault(id);
                        if (bounds.Lower > weight || weight > bounds.Upper)
                            return false;
                    }

                    if (all.Count > 8 || all.TotalWeight != truth.Values.Sum())
                        return false;
                }

                return true;
            },
            iter: 500);

    [Fact]
    public void Count_min_merges_commute_and_never_fall_below_the_truth() =>
        Gen.Select(Weights, Weights).Sample(
            (a, b) =>
            {
                CountMinSketch One(List<(ulong Id, long Delta)> weights)
                {
                    CountMinSketch sketch = new(4 << 10, new SketchKey(1, 2));
                    foreach ((ulong id, long delta) in weights)
                        sketch.Add(id, (uint)delta);
                    return sketch;
                }

                CountMinSketch ab = One(a), ba = One(b);
                ab.Merge(One(b));
                ba.Merge(One(a));
                return ab.Cells.SequenceEqual(ba.Cells)
                    && a.Concat(b).GroupBy(w => w.Id).All(g => ab.Estimate(g.Key) >= g.Sum(w => w.Delta));
            },
            iter: 300);

    [Fact]
    public void A_merged_full_table_goes_on_counting()
    {
        HeavyHitters table = Table([.. Enumerable.Range(0, 100).Select(i => ((ulong)i, (long)i))], 8);
        table.Merge(Table([.. Enumerable.Range(50, 100).Select(i => ((ulong)i, 1L))], 8));
        for (int i = 0; i < 1_000; i++)
            table.Add(99, 2);
        Assert.InRange(2_000 + 99 + 1, table.Bounds(99).Lower, table.Bounds(99).Upper);
        Assert.True(table.Count <= 8);
    }
}
