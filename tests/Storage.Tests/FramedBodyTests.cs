using System.Buffers.Binary;
using System.Net;
using System.Text;
using K4os.Compression.LZ4;
using Sketch.Storage.Embedded.Http;
using Sketch.Storage.Sql;
using ZstdSharp;

namespace Sketch.Tests.Storage;

/// <summary>Bodies in ClickHouse's own compressed frames.</summary>
[Collection(EmbeddedClickHouseGroup.Name)]
public sealed class FramedBodyTests(EmbeddedClickHouseFixture clickHouse) : IDisposable
{
    private readonly Sql _sql = new(clickHouse.Process);
    private readonly Sql _writer = new(clickHouse.Process, writer: true);

    public static TheoryData<byte> Methods => [0x02, 0x82, 0x90];

    [Theory, MemberData(nameof(Methods))]
    public async Task Every_method_gives_the_bytes_back(byte method)
    {
        byte[] data = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * i >> 7))];
        byte[] frames = [.. Frame(method, data.AsSpan(0, 100_000)), .. Frame(method, []), .. Frame(method, data.AsSpan(100_000))];
        await using FramedBody body = new(new MemoryStream(frames));
        using MemoryStream plain = new();
        await body.CopyToAsync(plain, 7_001);
        Assert.Equal(data, plain.ToArray());
    }

    [Theory, MemberData(nameof(Methods))]
    public async Task Statements_and_data_may_come_in_frames(byte method)
    {
        using ByteArrayContent statement = new(Frame(method, "SELECT 'in frames'"u8));
        using HttpResponseMessage answer = await _sql.PostAsync("", "decompress=1", statement);
        Assert.Equal("in frames\n", await answer.Content.ReadAsStringAsync());

        await _writer.AskAsync("CREATE TABLE framed (a UInt64) ENGINE = Memory");
        try
        {
            byte[] rows = new byte[8 * 200_000];
            for (int i = 0; i < 200_000; i++)
            {
                BinaryPrimitives.WriteInt64LittleEndian(rows.AsSpan(8 * i), i);
            }

            using ByteArrayContent data = new([.. Frame(method, rows.AsSpan(0, 1_000_001)), .. Frame(method, rows.AsSpan(1_000_001))]);
            using HttpResponseMessage inserted = await _writer.PostAsync("", "decompress=1&query=INSERT%20INTO%20framed%20FORMAT%20RowBinary", data);
            Assert.True(inserted.IsSuccessStatusCode, await inserted.Content.ReadAsStringAsync());
            Assert.Equal("200000\t19999900000", await _sql.AskAsync("SELECT count(), sum(a) FROM framed"));
        }
        finally
        {
            await _writer.AskAsync("DROP TABLE framed");
        }
    }

    [Fact]
    public async Task Answers_and_bodies_may_both_be_in_frames()
    {
        byte[] question = Frame(0x82, Encoding.ASCII.GetBytes("SELECT '" + new string('x', 5_000) + "'"));
        Assert.True(question.Length < 200);
        using ByteArrayContent body = new(question);
        using HttpResponseMessage answer = await _sql.PostAsync("", "decompress=1&compress=1", body);
        await using FramedBody plain = new(await answer.Content.ReadAsStreamAsync());
        using StreamReader reader = new(plain);
        Assert.Equal(new string('x', 5_000) + "\n", await reader.ReadToEndAsync());
    }

    public static TheoryData<string, int, byte[]> Hostile() => new()
    {
        { "ends in the head", 33, Frame(0x82, "SELECT 1"u8)[..20] },
        { "ends in the block", 33, Frame(0x82, "SELECT 1"u8)[..^1] },
        { "nothing behind the head", 33, Head(0x82, 5_000, 5_000) },
        { "another checksum", 40, Changed(Frame(0x82, "SELECT 1"u8), 0) },
        { "another block", 40, Changed(Frame(0x82, "SELECT 1"u8), 30) },
        { "a method that is not known", 89, Sealed(0x91, "SELECT 1"u8, 8) },
        { "4 GiB compressed", 39, Head(0x82, uint.MaxValue, 8) },
        { "4 GiB decompressed", 39, Head(0x82, 100, uint.MaxValue) },
        { "a byte more than allowed", 39, Head(0x90, 100, FramedBody.MaxFrameBytes + 1) },
        { "smaller than its own head", 271, Head(0x82, 3, 8) },
        { "a block that gives less", 271, Sealed(0x82, Lz4("SELECT 1"u8), 9) },
        { "a block that gives more", 271, Sealed(0x82, Lz4("SELECT 1"u8), 7) },
        { "literals beyond the block", 271, Sealed(0x82, [0xF0, 0xFF, 0xFF], 100) },
        { "a match before the beginning", 271, Sealed(0x82, [0x14, (byte)'a', 0xFF, 0xFF, 0x50, 1, 2, 3, 4, 5], 20) },
        { "a match of offset zero", 271, Sealed(0x82, [0x14, (byte)'a', 0, 0, 0x50, 1, 2, 3, 4, 5], 20) },
        { "not zstd", 271, Sealed(0x90, "SELECT 1"u8, 8) },
        { "zstd that gives more", 271, Sealed(0x90, Zstd(new byte[100_000]), 50) },
        { "zstd that is cut off", 271, Sealed(0x90, Zstd("SELECT 1"u8).AsSpan()[..^3], 8) },
        { "plain that gives more", 271, Sealed(0x02, "SELECT 1"u8, 5) },
        { "no frame at all", 39, "SELECT 1, 2, 3, 4, 5, 6, 7, 8, 9"u8.ToArray() },
    };

    [Theory, MemberData(nameof(Hostile))]
    public async Task Hostile_bytes_are_an_error_and_nothing_else(string what, int code, byte[] bytes)
    {
        using ByteArrayContent body = new(bytes);
        using HttpResponseMessage answer = await _sql.PostAsync("", "decompress=1", body);
        Assert.False(answer.IsSuccessStatusCode, what);
        Assert.Equal($"{code}", Assert.Single(answer.Headers.GetValues("X-ClickHouse-Exception-Code")));
        Assert.StartsWith($"Code: {code}. DB::Exception: the body cannot be decompressed: ", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_small_body_cannot_become_a_large_statement()
    {
        byte[] bomb = [.. Enumerable.Range(0, 40).SelectMany(_ => Frame(0x90, Encoding.ASCII.GetBytes(new string(' ', 1 << 20))))];
        Assert.True(bomb.Length < 10_000);
        using ByteArrayContent body = new(bomb);
        using HttpResponseMessage answer = await _sql.PostAsync("", "decompress=1", body);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("62", Assert.Single(answer.Headers.GetValues("X-ClickHouse-Exception-Code")));
    }

    [Fact]
    public async Task Random_changes_of_a_frame_never_give_other_bytes()
    {
        byte[] data = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 500).Select(i => $"row {i % 37} ")));
        Random random = new(3);
        for (int i = 0; i < 2_000; i++)
        {
            byte[] block = i % 2 == 0 ? Lz4(data) : Zstd(data);
            for (int change = random.Next(1, 4); change > 0; change--)
            {
                block[random.Next(block.Length)] ^= (byte)random.Next(1, 256);
            }

            // With a checksum that fits: the decompressor itself has to stand it.
            await using FramedBody body = new(new MemoryStream(Sealed(i % 2 == 0 ? (byte)0x82 : (byte)0x90, block, (uint)data.Length)));
            using MemoryStream plain = new();
            if (await Record.ExceptionAsync(() => body.CopyToAsync(plain)) is { } error)
            {
                Assert.IsType<BadBodyException>(error);
            }
            else
            {
                Assert.Equal(data.Length, plain.Length);
            }
        }
    }

    public void Dispose()
    {
        _sql.Dispose();
        _writer.Dispose();
    }

    private static byte[] Frame(byte method, ReadOnlySpan<byte> data) =>
        Sealed(method, method switch { 0x82 => Lz4(data), 0x90 => Zstd(data), _ => data }, (uint)data.Length);

    private static byte[] Sealed(byte method, ReadOnlySpan<byte> block, uint dataBytes)
    {
        byte[] frame = [.. Head(method, (uint)block.Length + 9, dataBytes), .. block];
        (ulong low, ulong high) = CityHash128.Compute(frame.AsSpan(16));
        BinaryPrimitives.WriteUInt64LittleEndian(frame, low);
        BinaryPrimitives.WriteUInt64LittleEndian(frame.AsSpan(8), high);
        return frame;
    }

    private static byte[] Head(byte method, uint frameBytes, uint dataBytes)
    {
        byte[] head = new byte[25];
        head[16] = method;
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(17), frameBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(21), dataBytes);
        return head;
    }

    private static byte[] Lz4(ReadOnlySpan<byte> data)
    {
        byte[] block = new byte[LZ4Codec.MaximumOutputSize(data.Length)];
        return block[..LZ4Codec.Encode(data, block)];
    }

    private static byte[] Zstd(ReadOnlySpan<byte> data)
    {
        using Compressor compressor = new();
        return compressor.Wrap(data).ToArray();
    }

    private static byte[] Changed(byte[] frame, int at)
    {
        frame[at] ^= 1;
        return frame;
    }
}
