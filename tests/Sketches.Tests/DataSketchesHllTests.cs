using System.Buffers;
using System.Globalization;
using System.Text;
using CsCheck;
using Sketch.Sketches;

namespace Sketch.Tests.Sketches;

/// <summary>Against bytes that the Apache library wrote (Fixtures/PROVENANCE.md says which version, how, and what it estimated).</summary>
public sealed class DataSketchesHllTests
{
    private static readonly string Fixtures = Path.Combine(AppContext.BaseDirectory, "Fixtures");

    private static byte[] Bytes(string name) => File.ReadAllBytes(Path.Combine(Fixtures, name + ".bin"));

    private static byte[] Text(string file, string name) => Convert.FromBase64String(
        File.ReadLines(Path.Combine(Fixtures, file)).Select(line => line.Split(' ')).Single(line => line[0] == name)[1]);

    private static byte[] BigQuery(string name) => Text("datasketches-bigquery.txt", name);

    private static byte[] Java(string name) => Text("datasketches-java.txt", name);

    private static byte[] Written(DataSketchesHll sketch, DataSketchesHllType type = DataSketchesHllType.Hll8)
    {
        ArrayBufferWriter<byte> writer = new();
        sketch.Write(writer, type);
        Assert.Equal(sketch.ByteCount(type), writer.WrittenCount);
        return writer.WrittenSpan.ToArray();
    }

    private static DataSketchesHll Of(int precision, ulong from, ulong to)
    {
        DataSketchesHll sketch = new(precision);
        for (ulong i = from; i < to; i++)
            sketch.Add(i);
        return sketch;
    }

    public static TheoryData<string, double, double, double> Cpp()
    {
        TheoryData<string, double, double, double> data = [];
        foreach (string[] line in File.ReadLines(Path.Combine(Fixtures, "hll8.txt")).Select(line => line.Split(' ')))
            data.Add(line[0], Number(line[1]), Number(line[2]), Number(line[3]));
        return data;
        static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
    }

    [Theory]
    [MemberData(nameof(Cpp))]
    public void What_the_library_wrote_is_read_and_estimated_as_by_the_library(string name, double estimate, double lower, double upper)
    {
        byte[] bytes = Bytes(name);
        DataSketchesHll read = DataSketchesHll.Read(bytes);
        Assert.Equal(estimate, read.Estimate(), 1e-9 * Math.Max(1, estimate));

        // The library's bounds come from tables of quantiles up to precision 12, ours from the standard error: close, not equal.
        (double Lower, double Upper) bounds = read.Bounds(2);
        double slack = read.Precision >= 12 ? 0.02 * (upper - lower) + 1e-9 : 0.6 * (upper - lower);
        Assert.Equal(lower, bounds.Lower, Math.Max(slack, 1e-9));
        Assert.Equal(upper, bounds.Upper, Math.Max(slack, 1e-9));
    }

    [Theory]
    [MemberData(nameof(Cpp))]
    public void The_same_elements_give_the_same_bytes(string name, double estimate, double lower, double upper)
    {
        _ = (estimate, lower, upper);
        string[] parts = name.Split('-');
        DataSketchesHll own = Of(int.Parse(parts[1][3..], CultureInfo.InvariantCulture), 0, ulong.Parse(parts[2][1..], CultureInfo.InvariantCulture));
        byte[] expected = Bytes(name), written = Written(own);
        if (parts[3] == "compact")
        {
            EqualButForRounding(expected, written);
            return;
        }

        // Only compact bytes are written; a set that is read from its table may stand in another order.
        DataSketchesHll read = DataSketchesHll.Read(expected);
        Assert.Equal(own.CouponTable.ToArray().Order(), read.CouponTable.ToArray().Order());
        if (own.IsDense)
            EqualButForRounding(Written(read), written);
    }

    // The historic estimate is a sum of rounded numbers that begins with the coupons' estimate, which the library interpolates.
    private static void EqualButForRounding(byte[] expected, byte[] written)
    {
        Assert.Equal(expected.Length, written.Length);
        if (expected[0] == 10)
        {
            double historic = BitConverter.ToDouble(expected, 8);
            Assert.Equal(historic, BitConverter.ToDouble(written, 8), 1e-11 * historic);
            expected.AsSpan(8, 8).CopyTo(written.AsSpan(8));
        }

        Assert.Equal(expected, written);
    }

    [Fact]
    public void Six_bits_are_read_and_written_as_bigquery_s_build_of_the_library_does()
    {
        EqualButForRounding(BigQuery("dense-lgk8-hll6-1-10000"), Written(Of(8, 1, 10_001), DataSketchesHllType.Hll6));
        EqualButForRounding(BigQuery("dense-lgk8-hll6-100000-110000"), Written(Of(8, 100_000, 110_001), DataSketchesHllType.Hll6));
        DataSketchesHll one = DataSketchesHll.Read(BigQuery("dense-lgk8-hll6-1-10000"));
        one.Merge(DataSketchesHll.Read(BigQuery("dense-lgk8-hll6-100000-110000")));
        Assert.True(one.IsMerged);
        Assert.Equal(BigQuery("merged-lgk8-hll6-both"), Written(one, DataSketchesHllType.Hll6));
        // The library: 20589.94 with 16893.54 to 24930.67 at three standard deviations. Ours is 0.07 standard errors away.
        Assert.Equal(20_589.94, one.Estimate(), 0.1 * one.StandardError * 20_589.94);
    }

    [Fact]
    public void Four_bits_are_read()
    {
        DataSketchesHll read = DataSketchesHll.Read(BigQuery("dense-lgk12-hll4-1-10000")), own = Of(12, 1, 10_001);
        Assert.Equal((DataSketchesHllType.Hll4, true, false), (read.Type, read.IsDense, read.IsMerged));
        Assert.Equal(own.Registers, read.Registers);
        Assert.Equal(own.Estimate(), read.Estimate(), 1e-7);
        EqualButForRounding(Written(read), Written(own));
    }

    [Theory]
    [InlineData(12, 40_000, true)]
    [InlineData(12, 40_000, false)]
    [InlineData(4, 3_000_000, true)]
    [InlineData(8, 5_000_000, false)]
    public void Four_bits_with_a_minimum_and_exceptions_are_read(int precision, int elements, bool compact)
    {
        DataSketchesHll own = Of(precision, 0, (ulong)elements);
        byte[] bytes = PackedBy4Bits(own, compact);
        DataSketchesHll read = DataSketchesHll.Read(bytes);
        Assert.Equal(own.Registers, read.Registers);
        Assert.Equal(own.Estimate(), read.Estimate());
    }

    // After the description of the format: the minimum in byte 6, exceptions in a table behind the registers.
    private static byte[] PackedBy4Bits(DataSketchesHll sketch, bool compact)
    {
        byte[] eight = Written(sketch);
        ReadOnlySpan<byte> ranks = sketch.Registers;
        byte minimum = ranks.ToArray().Min();
        List<uint> exceptions = [];
        byte[] nibbles = new byte[ranks.Length / 2];
        for (int i = 0; i < ranks.Length; i++)
        {
            int above = ranks[i] - minimum;
            if (above >= 15)
                exceptions.Add((uint)ranks[i] << 26 | (uint)i);
            nibbles[i / 2] |= (byte)(Math.Min(above, 15) << (i % 2 * 4));
        }

        Assert.NotEqual(0, minimum + exceptions.Count);
        int logSize = exceptions.Count == 0 ? 0 : 4;
        List<uint> table = compact ? exceptions : [.. exceptions, .. new uint[Math.Max(0, (1 << logSize) - exceptions.Count)]];
        byte[] bytes = [.. eight[..40], .. nibbles, .. table.SelectMany(BitConverter.GetBytes)];
        (bytes[4], bytes[5], bytes[6], bytes[7]) = ((byte)logSize, (byte)(compact ? 8 : 0), minimum, 2);
        BitConverter.GetBytes(exceptions.Count).CopyTo(bytes, 36);
        return bytes;
    }

    [Fact]
    public void Lists_and_sets_of_other_builds_are_read()
    {
        DataSketchesHll strings = new();
        foreach (string one in (string[])["a", "b", "c", "d", "e", ""])
            strings.Add(Encoding.UTF8.GetBytes(one));
        DataSketchesHll read = DataSketchesHll.Read(BigQuery("list-lgk12-hll4-abcde"));
        Assert.Equal(5.000000049670538, read.Estimate(), 1e-12);
        Assert.Equal(strings.CouponTable, read.CouponTable);
        DataSketchesHll merged = DataSketchesHll.Read(BigQuery("list-lgk12-hll4-abc"));
        merged.Merge(DataSketchesHll.Read(BigQuery("list-lgk12-hll4-cde")));
        Assert.Equal(read.CouponTable, merged.CouponTable);
        Assert.Equal((8, DataSketchesHllType.Hll6), (DataSketchesHll.Read(BigQuery("list-lgk8-hll6-abcde")).Precision, DataSketchesHll.Read(BigQuery("list-lgk8-hll6-abcde")).Type));

        DataSketchesHll set = DataSketchesHll.Read(Java("set-lgk12-hll4-a"));
        Assert.Equal(30, set.Estimate(), 1e-5);
        set.Merge(DataSketchesHll.Read(Java("set-lgk12-hll4-b")));
        DataSketchesHll union = DataSketchesHll.Read(Java("set-lgk12-hll4-union"));
        Assert.Equal(45, union.Estimate(), 1e-5);
        Assert.Equal(union.Estimate(), set.Estimate());
        Assert.Equal(union.CouponTable.ToArray().Order(), set.CouponTable.ToArray().Order());
        Assert.Equal(2, DataSketchesHll.Read(Java("list-lgk12-hll4-0")).Estimate(), 1e-5);
    }

    [Fact]
    public void A_merge_is_the_union_whatever_the_forms_and_folds_higher_precisions() =>
        Gen.Select(Gen.Int[0, 3_000], Gen.Int[0, 3_000], Gen.Int[0, 3_000], Gen.Int[4, 13], Gen.Int[0, 2]).Sample(
            (first, overlap, second, precision, finer) =>
            {
                DataSketchesHll one = Of(precision, 0, (ulong)(first + overlap));
                DataSketchesHll other = Of(precision + finer, (ulong)first, (ulong)(first + overlap + second));
                DataSketchesHll all = Of(precision, 0, (ulong)(first + overlap + second));
                one.Merge(other);
                one.Merge(one);
                DataSketchesHll again = DataSketchesHll.Read(Written(one));
                Assert.Equal(one.Estimate(), again.Estimate());
                if (one.IsDense)
                    all.Merge(Dense(precision));
                Assert.Equal(all.Registers, one.Registers);
                Assert.Equal(all.CouponTable.ToArray().Order(), one.CouponTable.ToArray().Order());
                if (one.IsMerged)
                    Assert.Equal(all.Estimate(), one.Estimate());
            },
            iter: 100);

    private static DataSketchesHll Dense(int precision)
    {
        DataSketchesHll empty = new(precision);
        byte[] bytes = new byte[40 + (1 << precision)];
        ((ReadOnlySpan<byte>)[10, 1, 7, (byte)precision, 0, 8, 0, 10]).CopyTo(bytes);
        empty.Merge(DataSketchesHll.Read(bytes));
        return empty;
    }

    [Fact]
    public void Estimates_are_as_good_as_their_standard_error_before_and_after_a_merge()
    {
        double square = 0, mergedSquare = 0;
        const int Trials = 200;
        for (ulong trial = 0; trial < Trials; trial++)
        {
            DataSketchesHll one = Of(10, trial << 32, (trial << 32) + 10_000), other = Of(10, (trial << 32) + 5_000, (trial << 32) + 20_000);
            square += Math.Pow(one.Estimate() / 10_000 - 1, 2);
            one.Merge(other);
            mergedSquare += Math.Pow(one.Estimate() / 20_000 - 1, 2);
        }

        Assert.InRange(Math.Sqrt(square / Trials) / (0.8326 / 32), 0.85, 1.15);
        Assert.InRange(Math.Sqrt(mergedSquare / Trials) / (1.0390 / 32), 0.85, 1.15);
    }

    [Fact]
    public void What_cannot_be_is_refused_by_name()
    {
        string Refusal(byte[] bytes, int at, byte value, int most = 21)
        {
            byte[] wrong = [.. bytes];
            wrong[at] = value;
            return Assert.Throws<InvalidDataException>(() => DataSketchesHll.Read(wrong, most)).Message;
        }

        byte[] dense = Bytes("hll8-lgk12-n100000-compact"), list = Bytes("hll8-lgk12-n7-compact"), set = Bytes("hll8-lgk12-n300-compact");
        Assert.Equal("serial version is 2; allowed 1", Refusal(dense, 1, 2));
        Assert.Equal("family is 18; allowed 7 (HLL)", Refusal(dense, 2, 18));
        Assert.Equal("precision is 22; allowed 4 to 21", Refusal(dense, 3, 22));
        Assert.Equal("precision is 12; allowed 4 to 11", Refusal(dense, 3, 12, 11));
        Assert.Equal("sketch is 4136 bytes; allowed 8232 for what its header says", Refusal(dense, 3, 13));
        Assert.Equal("preamble is 3 words; allowed 10", Refusal(dense, 0, 3));
        Assert.Equal("mode is 11; allowed a form of 0 to 2 and a type of 0 to 2", Refusal(dense, 7, 11));
        Assert.Equal("register 0 is above 63", Refusal(dense, 40, 64));
        Assert.Equal("coupons are 8; allowed 0 to 7", Refusal(list, 6, 8));
        Assert.StartsWith("coupon 0 is 00", Refusal(list, 11, 0), StringComparison.Ordinal);
        Assert.Equal("coupons are 511; allowed 0 to 384", Refusal([.. set[..8], 255, .. set[9..]], 9, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new DataSketchesHll(3));
        Assert.Throws<ArgumentOutOfRangeException>(() => Written(new DataSketchesHll(), DataSketchesHllType.Hll4));
        Assert.Throws<ArgumentException>(() => new DataSketchesHll(12).Merge(new DataSketchesHll(11)));
    }

    [Fact]
    public void Hostile_bytes_load_as_a_sketch_or_not_at_all()
    {
        byte[][] seeds =
        [
            .. ((string[])["n0-compact", "n7-updatable", "n25-updatable", "n300-compact", "n300-updatable"]).Select(name => Bytes("hll8-lgk12-" + name)),
            Bytes("hll8-lgk4-n1000-compact"), BigQuery("dense-lgk8-hll6-1-10000"), BigQuery("dense-lgk12-hll4-1-10000"), PackedBy4Bits(Of(4, 0, 3_000_000), true),
        ];
        Random random = new(23);
        int refused = 0;
        const int Rounds = 40_000;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < Rounds; round++)
        {
            byte[] hostile = [.. seeds[random.Next(seeds.Length)]];
            if (random.Next(4) == 0)
                hostile = hostile[..random.Next(hostile.Length)];
            for (int i = random.Next(4); i > 0 && hostile.Length > 0; i--)
                hostile[random.Next(2) == 0 ? random.Next(Math.Min(44, hostile.Length)) : random.Next(hostile.Length)] = (byte)random.Next(256);
            try
            {
                DataSketchesHll sketch = DataSketchesHll.Read(hostile, 14);
                Assert.True(sketch.Estimate() >= 0);
                Assert.Equal(sketch.Estimate(), DataSketchesHll.Read(Written(sketch)).Estimate());
                sketch.Add(ulong.MaxValue);
                sketch.Merge(new DataSketchesHll(sketch.Precision));
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, Rounds / 10, Rounds - Rounds / 10);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < Rounds * 100_000L);
    }

    [Fact]
    public void Random_bytes_are_refused()
    {
        Random random = new(24);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            Assert.Throws<InvalidDataException>(() => DataSketchesHll.Read(bytes));
        }
    }
}
