using System.Buffers;
using System.Globalization;
using System.Text;
using CsCheck;
using Sketch.Sketches;

namespace Sketch.Tests.Sketches;

/// <summary>Against bytes that the Apache library wrote (Fixtures/PROVENANCE.md).</summary>
public sealed class DataSketchesCountMinTests
{
    private static readonly string Fixtures = Path.Combine(AppContext.BaseDirectory, "Fixtures");

    private static byte[] Bytes(string name) => File.ReadAllBytes(Path.Combine(Fixtures, name + ".bin"));

    private static byte[] Written(DataSketchesCountMin sketch)
    {
        ArrayBufferWriter<byte> writer = new();
        sketch.Write(writer);
        Assert.Equal(sketch.ByteCount, writer.WrittenCount);
        return writer.WrittenSpan.ToArray();
    }

    // The stream that the fixtures' program added.
    private static DataSketchesCountMin Of(int rows, int buckets, ulong seed, ulong n)
    {
        DataSketchesCountMin sketch = new(rows, buckets, seed);
        for (ulong i = 0; i < n; i++)
            sketch.Add(i * i % 1_009, (long)(i % 7));
        return sketch;
    }

    [Theory]
    [InlineData("count-min-4x128-n0-seed9001", 4, 128, 9001, 0, "0 0 0 0 0 0 0 0 0")]
    [InlineData("count-min-4x128-n10000-seed9001", 4, 128, 9001, 10_000, "29994 140 114 181 225 115 58 58 180")]
    [InlineData("count-min-3x50-n500-seed123", 3, 50, 123, 500, "1494 18 24 9 29 24 23 21 30")]
    public void What_the_library_wrote_is_read_estimated_and_written_alike(string name, int rows, int buckets, ulong seed, ulong n, string expected)
    {
        byte[] bytes = Bytes(name);
        DataSketchesCountMin read = DataSketchesCountMin.Read(bytes, seed);
        Assert.Equal((rows, buckets), (read.Rows, read.Buckets));
        long[] known = [read.TotalWeight, .. Enumerable.Range(0, 8).Select(id => read.Estimate((ulong)id))];
        Assert.Equal(expected, string.Join(' ', known.Select(value => value.ToString(CultureInfo.InvariantCulture))));
        Assert.Equal(bytes, Written(read));
        Assert.Equal(bytes, Written(Of(rows, buckets, seed, n)));
    }

    [Fact]
    public void The_truth_is_between_the_lower_bound_and_the_estimate()
    {
        ulong[] ids = Streams.Zipf(100_000, 20_000, 1.0, seed: 1);
        uint[] deltas = Streams.Lognormal(ids.Length, seed: 2);
        DataSketchesCountMin sketch = new(4, 5_000);
        for (int i = 0; i < ids.Length; i++)
            sketch.Add(ids[i], deltas[i]);
        Dictionary<ulong, long> truth = Streams.Count(ids, deltas);
        Assert.All(truth, t => Assert.True(t.Value <= sketch.Estimate(t.Key)));
        int below = truth.Count(t => t.Value < sketch.LowerBound(t.Key));
        Assert.InRange(below, 0, truth.Count * Math.Exp(-4));
        // The bound is a bound: cut to a tenth it breaks.
        Assert.Contains(truth, t => t.Value < sketch.Estimate(t.Key) - (sketch.Estimate(t.Key) - sketch.LowerBound(t.Key)) / 10);
    }

    [Fact]
    public void Byte_items_hash_like_their_eight_bytes_and_empty_ones_are_ignored()
    {
        DataSketchesCountMin sketch = new(4, 100);
        sketch.Add(7, 5);
        sketch.Add(BitConverter.GetBytes(7ul), 6);
        sketch.Add(Encoding.UTF8.GetBytes("a string of more than sixteen bytes"), 3);
        sketch.Add(""u8, 1_000);
        Assert.Equal((11, 11), (sketch.Estimate(7), sketch.Estimate(BitConverter.GetBytes(7ul))));
        Assert.Equal(3, sketch.Estimate("a string of more than sixteen bytes"u8));
        Assert.Equal((0, 14), (sketch.Estimate(""u8), sketch.TotalWeight));
    }

    [Fact]
    public void A_merge_is_as_if_one_had_seen_both() =>
        Gen.Select(Gen.Int[1, 6], Gen.Int[3, 200], Gen.Int[0, 500], Gen.Int[0, 500], Gen.ULong).Sample(
            (rows, buckets, first, second, seed) =>
            {
                DataSketchesCountMin one = Of(rows, buckets, seed, (ulong)first), other = Of(rows, buckets, seed, (ulong)second);
                DataSketchesCountMin turned = DataSketchesCountMin.Read(Written(other), seed);
                DataSketchesCountMin both = Of(rows, buckets, seed, (ulong)first);
                for (ulong i = 0; i < (ulong)second; i++)
                    both.Add(i * i % 1_009, (long)(i % 7));
                turned.Merge(one);
                one.Merge(other);
                Assert.Equal(Written(both), Written(one));
                Assert.Equal(Written(both), Written(turned));
            },
            iter: 200);

    [Fact]
    public void What_cannot_be_is_refused_by_name()
    {
        byte[] bytes = Bytes("count-min-4x128-n10000-seed9001");
        string Refusal(int at, byte value, ulong seed = 9001, int most = 1 << 20)
        {
            byte[] wrong = [.. bytes];
            wrong[at] = value;
            return Assert.Throws<InvalidDataException>(() => DataSketchesCountMin.Read(wrong, seed, most)).Message;
        }

        Assert.StartsWith("preamble, serial version and family are 3, 1, 18; allowed 2, 1, 18", Refusal(0, 3), StringComparison.Ordinal);
        Assert.StartsWith("flags are 2", Refusal(3, 2), StringComparison.Ordinal);
        Assert.StartsWith("shape is 4 x 128; allowed 1 row or more of 3 buckets or more, 511 cells in all", Refusal(8, 128, most: 511), StringComparison.Ordinal);
        Assert.StartsWith("shape is 0 x 128", Refusal(12, 0), StringComparison.Ordinal);
        Assert.StartsWith("seed hash is ", Refusal(8, 128, seed: 9002), StringComparison.Ordinal);
        Assert.StartsWith("sketch is 4120 bytes; allowed 3096", Refusal(12, 3)[..34], StringComparison.Ordinal);
        Assert.StartsWith("total weight is -", Refusal(23, 255), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new DataSketchesCountMin(3, 10).Merge(new DataSketchesCountMin(4, 10)));
        Assert.Throws<ArgumentException>(() => new DataSketchesCountMin(3, 10, 1).Merge(new DataSketchesCountMin(3, 10, 2)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new DataSketchesCountMin(0, 10));
        Assert.Throws<ArgumentOutOfRangeException>(() => new DataSketchesCountMin(3, 1 << 29));
    }

    [Fact]
    public void Sixteen_bytes_of_an_empty_sketch_allocate_no_gigabytes()
    {
        byte[] bytes = Bytes("count-min-4x128-n10000-seed9001")[..16];
        bytes[3] = 1; // empty
        BitConverter.GetBytes(1u << 29).CopyTo(bytes, 8);
        bytes[12] = 1;
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.StartsWith("shape is 1 x 536870912", Assert.Throws<InvalidDataException>(() => DataSketchesCountMin.Read(bytes)).Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Hostile_bytes_load_as_they_are_or_not_at_all()
    {
        byte[] bytes = Bytes("count-min-3x50-n500-seed123");
        Random random = new(29);
        int refused = 0;
        const int Rounds = 20_000;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < Rounds; round++)
        {
            byte[] hostile = random.Next(4) == 0 ? bytes[..random.Next(bytes.Length)] : [.. bytes];
            for (int i = random.Next(1, 4); i > 0 && hostile.Length > 0; i--)
                hostile[random.Next(2) == 0 ? random.Next(Math.Min(24, hostile.Length)) : random.Next(hostile.Length)] = (byte)random.Next(256);
            try
            {
                byte[] again = Written(DataSketchesCountMin.Read(hostile, 123, 10_000));
                // The library leaves these bytes unused, and so do we.
                hostile.AsSpan(4, 4).Clear();
                hostile[15] = 0;
                Assert.Equal(hostile, again);
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, Rounds / 10, Rounds - Rounds / 10);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < Rounds * 20_000L);
    }
}
