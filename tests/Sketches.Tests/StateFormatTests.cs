using System.Buffers;
using System.Buffers.Binary;
using Sketch.Sketches;

namespace Sketch.Tests.Sketches;

public sealed class StateFormatTests
{
    private static readonly SketchKey Key = new(0x1111, 0x2222);
    private static readonly string Golden = Path.Combine(AppContext.BaseDirectory, "golden");

    private delegate void Saver(IBufferWriter<byte> writer);

    private static byte[] Bytes(Saver save)
    {
        ArrayBufferWriter<byte> writer = new();
        save(writer);
        return writer.WrittenSpan.ToArray();
    }

    private static CountMinSketch CountMin()
    {
        CountMinSketch sketch = new(4 << 10, Key);
        for (uint i = 0; i < 1_000; i++)
            sketch.Add(Streams.Id(i % 300), i % 7);
        return sketch;
    }

    private static HyperLogLog Distinct(int elements)
    {
        HyperLogLog state = new(Key.KeyId, 10);
        for (int i = 0; i < elements; i++)
            state.Add(ElementHash.Compute(Key, BitConverter.GetBytes(i)));
        return state;
    }

    private static HeavyHitters Heavy()
    {
        HeavyHitters table = new(16, Key);
        for (ulong i = 0; i < 500; i++)
            table.Add(i * i % 37, (long)(1 + i % 11));
        return table;
    }

    private static byte[] Make(string name) => name switch
    {
        "count-min" => Bytes(CountMin().Save),
        "hyperloglog-empty" => Bytes(Distinct(0).Save),
        "hyperloglog-sparse" => Bytes(Distinct(100).Save),
        "hyperloglog-dense" => Bytes(Distinct(5_000).Save),
        _ => Bytes(Heavy().Save),
    };

    private static byte[] Again(string name, byte[] state) => name.Split('-')[0] switch
    {
        "count" => Bytes(CountMinSketch.Load(state, Key, 8 << 10).Save),
        "hyperloglog" => Bytes(HyperLogLog.Load(state, Key.KeyId).Save),
        _ => Bytes(HeavyHitters.Load(state, Key, 1_000).Save),
    };

    public static TheoryData<string> Names => ["count-min", "hyperloglog-empty", "hyperloglog-sparse", "hyperloglog-dense", "heavy-hitters"];

    [Theory]
    [MemberData(nameof(Names))]
    public void States_are_the_golden_bytes(string name)
    {
        byte[] state = Make(name);
        Assert.Equal(File.ReadAllBytes(Path.Combine(Golden, name + ".bin")), state);
        Assert.Equal(state, Again(name, state));
    }

    [Fact]
    public void What_is_loaded_is_what_was_saved()
    {
        CountMinSketch sketch = CountMinSketch.Load(Make("count-min"), Key);
        Assert.True(sketch.Cells.SequenceEqual(CountMin().Cells));
        Assert.Equal(CountMin().TotalWeight, sketch.TotalWeight);
        Assert.Equal(Distinct(100).Estimate(), HyperLogLog.Load(Make("hyperloglog-sparse"), Key.KeyId).Estimate());
        HyperLogLog dense = HyperLogLog.Load(Make("hyperloglog-dense"), Key.KeyId), original = Distinct(5_000);
        Assert.Equal((original.Estimate(), original.ChangeProbability), (dense.Estimate(), dense.ChangeProbability));
        HeavyHitters heavy = HeavyHitters.Load(Make("heavy-hitters"));
        Assert.Equal((Heavy().Count, Heavy().Offset, Heavy().TotalWeight), (heavy.Count, heavy.Offset, heavy.TotalWeight));
        for (ulong id = 0; id < 37; id++)
            Assert.Equal(Heavy().Bounds(id), heavy.Bounds(id));
    }

    [Fact]
    public void A_saturated_sketch_stays_so()
    {
        CountMinSketch sketch = CountMin();
        sketch.Add(1, uint.MaxValue);
        Assert.True(CountMinSketch.Load(Bytes(sketch.Save), Key).Saturated);
    }

    [Fact]
    public void Another_key_kind_or_size_is_refused_by_name()
    {
        byte[] state = Make("count-min");
        string Refusal(Action load) => Assert.Throws<InvalidDataException>(load).Message;
        Assert.StartsWith("keyId is ", Refusal(() => CountMinSketch.Load(state, default)), StringComparison.Ordinal);
        Assert.StartsWith("keyId is ", Refusal(() => HyperLogLog.Load(Make("hyperloglog-dense"), 1)), StringComparison.Ordinal);
        Assert.StartsWith("kind is 1; allowed 2", Refusal(() => HyperLogLog.Load(state, Key.KeyId)), StringComparison.Ordinal);
        Assert.StartsWith("memoryBytes is 4096; allowed 4096 to 4095", Refusal(() => CountMinSketch.Load(state, Key, 4_095)), StringComparison.Ordinal);
        Assert.StartsWith("capacity is 16; allowed 2 to 8", Refusal(() => HeavyHitters.Load(Make("heavy-hitters"), Key, 8)), StringComparison.Ordinal);
        state[4] = 2;
        Assert.StartsWith("version is 2; allowed 1", Refusal(() => CountMinSketch.Load(state, Key)), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_flipped_bit_and_every_truncation_is_refused(string name)
    {
        byte[] state = Make(name);
        int step = Math.Max(1, state.Length * 8 / 4_000);
        for (int bit = 0; bit < state.Length * 8; bit += step)
        {
            byte[] damaged = [.. state];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<InvalidDataException>(() => Again(name, damaged));
        }

        for (int length = 0; length < state.Length; length += Math.Max(1, state.Length / 300))
            Assert.Throws<InvalidDataException>(() => Again(name, state[..length]));
        Assert.Throws<InvalidDataException>(() => Again(name, [.. state, 0]));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Hostile_bytes_with_a_right_checksum_load_as_they_are_or_not_at_all(string name)
    {
        byte[] state = Make(name);
        Random random = new(17);
        int refused = 0;
        long before = GC.GetAllocatedBytesForCurrentThread();
        const int Rounds = 3_000;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] hostile = [.. state];
            for (int i = 0; i <= random.Next(4); i++)
            {
                // Half of the damage goes to the header, where lengths and parameters are.
                int at = random.Next(2) == 0 ? random.Next(48) : random.Next(hostile.Length - 4);
                hostile[at] = (byte)random.Next(256);
            }

            BinaryPrimitives.WriteUInt32LittleEndian(hostile.AsSpan()[^4..], StateHeader.Crc32C(hostile.AsSpan()[..^4]));
            try
            {
                Assert.Equal(hostile, Again(name, hostile));
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        Assert.True(refused > Rounds / 3, $"{refused} refused");
        // Lengths in hostile headers were never believed: no round allocated more than the limits given allow.
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < Rounds * (300_000L + 20 * state.Length));
    }

    [Fact]
    public void Random_bytes_are_refused()
    {
        Random random = new(18);
        for (int i = 0; i < 10_000; i++)
        {
            byte[] bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            foreach (string name in (string[])["count-min", "hyperloglog-dense", "heavy-hitters"])
                Assert.Throws<InvalidDataException>(() => Again(name, bytes));
        }
    }

    [Fact]
    public void The_checksum_is_crc32c() => Assert.Equal(0xe3069283u, StateHeader.Crc32C("123456789"u8));
}
