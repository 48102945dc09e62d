using System.Buffers.Binary;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Sketch.Storage.Embedded.Http;
using Sketch.Storage.Store;

namespace Sketch.Tests.Storage;

/// <summary>What clients that are not in these tests send first, as their sources have it.</summary>
[Collection(EmbeddedClickHouseGroup.Name)]
public sealed class ClientFirstQueriesTests(EmbeddedClickHouseFixture clickHouse) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = clickHouse.Process.Address };

    /// <summary>clickhouse-go over HTTP: Native, its protocol version, gzip. Block info, then columns with a byte for custom serialization.</summary>
    [Fact]
    public async Task The_hello_of_clickhouse_go_is_answered_in_the_block_that_it_reads()
    {
        byte[] block = await PostAsync(
            "?client_protocol_version=54471&database=default&default_format=Native&wait_end_of_query=1", "SELECT displayName(), version(), revision(), timezone()");
        using BinaryReader reader = new(new MemoryStream(block));
        Assert.Equal([1, 0, 2], reader.ReadBytes(3));
        Assert.Equal(-1, reader.ReadInt32());
        Assert.Equal([0, 4, 1], reader.ReadBytes(3));
        List<object> row = [];
        foreach (string column in new[] { "displayName()", "version()", "revision()", "timezone()" })
        {
            Assert.Equal(column, reader.ReadString());
            string type = reader.ReadString();
            Assert.Equal(0, reader.ReadByte());
            row.Add(type == "UInt32" ? reader.ReadUInt32() : reader.ReadString());
        }

        Assert.Equal(block.Length, reader.BaseStream.Position);
        Assert.Equal(("sketch", 0u), ((string)row[0], (uint)row[2]));
        Assert.StartsWith("26.7", (string)row[1], StringComparison.Ordinal);

        // With revision 0 it reads the next block as plain Native: columns, rows, name, type, values.
        byte[] next = await PostAsync("?client_protocol_version=54471&database=default&default_format=Native", "SELECT toUInt8(7) AS x");
        Assert.Equal("\u0001\u0001\u0001x\u0005UInt8\u0007", Encoding.Latin1.GetString(next));
    }

    /// <summary>The JDBC driver asks for ClickHouse's own LZ4 frames, also around errors.</summary>
    [Fact]
    public async Task The_first_queries_of_jdbc_are_answered_in_frames()
    {
        byte[] hello = await PostAsync("?compress=1&extremes=0&default_format=RowBinaryWithNamesAndTypes", "SELECT currentUser() AS user, timezone() AS timezone, version() AS version LIMIT 1");
        byte[] plain = Unframe(hello, out int frames);
        Assert.True(frames > 0);
        Assert.Contains("default", Encoding.UTF8.GetString(plain), StringComparison.Ordinal);

        byte[] many = Unframe(await PostAsync("?compress=1&default_format=TabSeparated", "SELECT number FROM numbers(300000)"), out _);
        Assert.Equal(string.Concat(Enumerable.Range(0, 300_000).Select(i => i.ToString(CultureInfo.InvariantCulture) + "\n")), Encoding.ASCII.GetString(many));

        byte[] tables = Unframe(await PostAsync("?compress=1", "SELECT name FROM system.tables WHERE database = 'sketch' AND name LIKE 'tot%' ORDER BY name FORMAT TabSeparated"), out _);
        Assert.Equal("total_rows\ntotals\n", Encoding.ASCII.GetString(tables));

        using HttpResponseMessage failed = await _http.PostAsync(new Uri("?compress=1", UriKind.Relative), new StringContent("SELECT nothing"));
        Assert.Equal("47", Assert.Single(failed.Headers.GetValues("X-ClickHouse-Exception-Code")));
        Assert.StartsWith("Code: 47.", Encoding.UTF8.GetString(Unframe(await failed.Content.ReadAsByteArrayAsync(), out _)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 0x3df09dfc64c09a2b, 0x3cb540c392e51e29)]
    [InlineData(3, 0x904c24441e897ae0, 0xead37d2c71af49a5)]
    [InlineData(7, 0x2ac1cb1e79a3033e, 0x1a511db9333e0d88)]
    [InlineData(9, 0xa265dd086e2f5623, 0xb1335aea54897d3b)]
    [InlineData(15, 0xa710a80537cf2d8d, 0xe533a7496f95ee85)]
    [InlineData(16, 0x83ec0fac4964837b, 0xd275575faba34852)]
    [InlineData(20, 0x8e1a6ada0d4f1dfc, 0x0b945d73fe8b0524)]
    [InlineData(31, 0x90313863517a27ad, 0x32108304cc31b0db)]
    [InlineData(33, 0x460b9320df3e669c, 0x07849d860850e2a4)]
    [InlineData(140, 0x910ef349ba23290e, 0x277fde8a8bc7daad)]
    [InlineData(144, 0x0cfb04234adb6409, 0xd4939df825c31736)]
    [InlineData(200, 0x8f9b2aac7a554014, 0xa92afdf8663b9b91)]
    [InlineData(300, 0xe710f49384fe1cc7, 0x0e993b126bc2691c)]
    [InlineData(1000, 0x4e88792ab3668956, 0xd4a6210430c810d6)]
    public void Checksums_are_those_of_the_engine(int length, ulong low, ulong high) =>
        Assert.Equal((low, high), CityHash128.Compute(Enumerable.Range(0, length).Select(i => (byte)(i * 7 % 251)).ToArray()));

    [Fact]
    public async Task Digests_are_the_same_in_CSharp_and_in_SQL()
    {
        using Sql sql = new(clickHouse.Process, writer: true);
        RowDigest digest = new();
        for (ulong i = 0; i < 1_000; i++)
        {
            digest.Add(i * 0x9E37_79B9_7F4A_7C15, (long)i - 500);
        }

        RowDigest stored = new();
        string[] rows = (await sql.AskAsync(
            $"SELECT {RowDigest.PartitionSql} AS p, count(), sum({RowDigest.Sql}) FROM (SELECT number * 11400714819323198485 AS id, toInt64(number) - 500 AS value FROM numbers(1000)) GROUP BY p")).Split('\n');
        foreach (string[] row in rows.Select(r => r.Split('\t')))
        {
            stored.Add(int.Parse(row[0], CultureInfo.InvariantCulture), long.Parse(row[1], CultureInfo.InvariantCulture), ulong.Parse(row[2], CultureInfo.InvariantCulture));
        }

        Assert.Empty(digest.DiffersFrom(stored));
        Assert.Equal(digest.ToString(), stored.ToString());
        digest.Add(5, 5);
        Assert.Equal([0], digest.DiffersFrom(stored));
    }

    public void Dispose() => _http.Dispose();

    private async Task<byte[]> PostAsync(string query, string sql)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, query) { Content = new StringContent(sql) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String("default:"u8));
        using HttpResponseMessage response = await _http.SendAsync(request);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return await response.Content.ReadAsByteArrayAsync();
    }

    // An LZ4 block of one sequence of literals; others would fail here.
    private static byte[] Unframe(byte[] bytes, out int frames)
    {
        using MemoryStream plain = new();
        frames = 0;
        for (ReadOnlySpan<byte> left = bytes; !left.IsEmpty; frames++)
        {
            int size = BinaryPrimitives.ReadInt32LittleEndian(left[17..]);
            int length = BinaryPrimitives.ReadInt32LittleEndian(left[21..]);
            ReadOnlySpan<byte> body = left.Slice(16, size);
            Assert.Equal((BinaryPrimitives.ReadUInt64LittleEndian(left), BinaryPrimitives.ReadUInt64LittleEndian(left[8..])), CityHash128.Compute(body));
            Assert.Equal(0x82, body[0]);
            int at = 10;
            int literals = body[9] >> 4;
            for (byte more = (byte)(literals == 15 ? 255 : 0); more == 255;)
            {
                more = body[at++];
                literals += more;
            }

            Assert.Equal(length, literals);
            plain.Write(body.Slice(at, literals));
            Assert.Equal(size, at + literals);
            left = left[(16 + size)..];
        }

        return plain.ToArray();
    }
}
