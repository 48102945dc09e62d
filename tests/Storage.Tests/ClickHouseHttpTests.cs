using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using ClickHouse.Driver;
using ClickHouse.Driver.ADO;
using ClickHouse.Driver.ADO.Parameters;
using ClickHouse.Driver.ADO.Readers;
using ClickHouse.Driver.Utility;

namespace Sketch.Tests.Storage;

[Collection(EmbeddedClickHouseGroup.Name)]
public sealed class ClickHouseHttpTests(EmbeddedClickHouseFixture clickHouse) : IDisposable
{
    private readonly Sql _sql = new(clickHouse.Process);
    private readonly Sql _writer = new(clickHouse.Process, writer: true);

    [Theory]
    [InlineData("/")]
    [InlineData("/ping")]
    public async Task Ping_is_answered(string path)
    {
        using HttpResponseMessage response = await _sql.GetAsync(path);
        Assert.Equal("Ok.\n", await response.Content.ReadAsStringAsync());
    }

    /// <summary>More rows than one chunk of the engine: headers come once, brackets close, in every format.</summary>
    [Theory]
    [InlineData("TabSeparated", 200_000)]
    [InlineData("TSVWithNames", 200_001)]
    [InlineData("TabSeparatedWithNamesAndTypes", 200_002)]
    [InlineData("CSV", 200_000)]
    [InlineData("CSVWithNames", 200_001)]
    [InlineData("JSONEachRow", 200_000)]
    [InlineData("JSONCompactEachRowWithNamesAndTypes", 200_002)]
    [InlineData("JSON", null)]
    [InlineData("JSONCompact", null)]
    [InlineData("Markdown", 200_002)]
    public async Task Long_result_is_one_document(string format, int? lines)
    {
        string text = await _sql.AskAsync($"SELECT number AS n FROM numbers(200000) ORDER BY n FORMAT {format}");
        if (lines is not null)
        {
            Assert.Equal(lines, text.Split('\n').Length);
        }
        else
        {
            using System.Text.Json.JsonDocument json = System.Text.Json.JsonDocument.Parse(text);
            Assert.Equal(200_000, json.RootElement.GetProperty("rows").GetInt32());
            Assert.Equal(200_000, json.RootElement.GetProperty("data").GetArrayLength());
        }
    }

    [Fact]
    public async Task Answer_says_what_it_is()
    {
        using HttpResponseMessage json = await _sql.PostAsync("SELECT 1 FORMAT JSON", "query_id=my-query");
        Assert.Equal("application/json; charset=UTF-8", json.Content.Headers.ContentType!.ToString());
        Assert.Equal("JSON", Assert.Single(json.Headers.GetValues("X-ClickHouse-Format")));
        Assert.Equal("my-query", Assert.Single(json.Headers.GetValues("X-ClickHouse-Query-Id")));
        Assert.Single(json.Headers.GetValues("X-ClickHouse-Timezone"));
        Assert.Single(json.Headers.GetValues("X-ClickHouse-Summary"));
        using HttpResponseMessage text = await _sql.PostAsync("SELECT 1", "default_format=CSVWithNames");
        Assert.Equal("\"1\"\n1\n", await text.Content.ReadAsStringAsync());
    }

    /// <summary>Exact where the engine makes the answer in one piece; of one in pieces it does not tell what it read between them.</summary>
    [Fact]
    public async Task Summary_says_what_the_statement_did()
    {
        const string Long = "SELECT number FROM numbers(300000)";
        using HttpResponseMessage whole = await _sql.PostAsync(Long + " FORMAT JSON");
        Assert.Equal((300_000, 2_400_000, 300_000), (Figure(whole, "read_rows"), Figure(whole, "read_bytes"), Figure(whole, "result_rows")));
        Assert.NotEqual(0, Figure(whole, "elapsed_ns"));
        using HttpResponseMessage waited = await _sql.PostAsync(Long, "wait_end_of_query=1");
        Assert.Equal(300_000, Figure(waited, "result_rows"));
        Assert.InRange(Figure(waited, "read_rows"), 0, 300_000);
        using HttpResponseMessage streamed = await _sql.PostAsync(Long);
        Assert.InRange(Figure(streamed, "read_rows"), 0, 300_000);
        Assert.Equal(await streamed.Content.ReadAsStringAsync(), await waited.Content.ReadAsStringAsync());

        static long Figure(HttpResponseMessage answer, string name)
        {
            using System.Text.Json.JsonDocument json = System.Text.Json.JsonDocument.Parse(Assert.Single(answer.Headers.GetValues("X-ClickHouse-Summary")));
            return long.Parse(json.RootElement.GetProperty(name).GetString()!, System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    [Fact]
    public async Task Error_after_the_first_rows_has_its_status_when_the_client_waits_for_the_end()
    {
        const string Failing = "SELECT number, throwIf(number = 900000) FROM numbers(1000000) SETTINGS max_block_size = 10000";
        using HttpResponseMessage failed = await _sql.PostAsync(Failing, "wait_end_of_query=1");
        Assert.Equal(HttpStatusCode.InternalServerError, failed.StatusCode);
        Assert.StartsWith("Code: 395.", await failed.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        // More than is held: sent as it comes.
        using HttpResponseMessage large = await _sql.PostAsync("SELECT number, repeat('x', 100) FROM numbers(300000)", "wait_end_of_query=1");
        Assert.Equal(300_001, (await large.Content.ReadAsStringAsync()).Split('\n').Length);
    }

    [Theory]
    [InlineData("SELECT nope", "47", HttpStatusCode.NotFound)]
    [InlineData("SELECT 1 +", "62", HttpStatusCode.BadRequest)]
    [InlineData("SELECT * FROM nope", "60", HttpStatusCode.NotFound)]
    [InlineData("SELECT throwIf(1)", "395", HttpStatusCode.InternalServerError)]
    [InlineData("SELECT file('/x')", "497", HttpStatusCode.Forbidden)]
    [InlineData("SELECT number FROM numbers(100000000) FORMAT JSON", "396", HttpStatusCode.BadRequest)]
    public async Task Error_has_the_code_of_ClickHouse(string sql, string code, HttpStatusCode status)
    {
        using HttpResponseMessage response = await _sql.PostAsync(sql);
        Assert.Equal(status, response.StatusCode);
        Assert.Equal(code, Assert.Single(response.Headers.GetValues("X-ClickHouse-Exception-Code")));
        Assert.StartsWith($"Code: {code}. DB::Exception: ", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Error_in_mid_stream_is_told_in_the_stream_and_breaks_it_off()
    {
        using HttpClient http = new();
        using HttpRequestMessage request = new(HttpMethod.Post, clickHouse.Process.Address)
        {
            Content = new StringContent("SELECT number, throwIf(number = 900000) FROM numbers(1000000) SETTINGS max_block_size = 10000"),
        };
        using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        string tag = Assert.Single(response.Headers.GetValues("X-ClickHouse-Exception-Tag"));
        await using Stream stream = await response.Content.ReadAsStreamAsync();
        using MemoryStream read = new();
        await Assert.ThrowsAnyAsync<IOException>(() => stream.CopyToAsync(read));
        string text = Encoding.UTF8.GetString(read.ToArray());
        Assert.Contains($"\r\n__exception__\r\n{tag}\r\nCode: 395. DB::Exception: ", text, StringComparison.Ordinal);
        Assert.EndsWith($" {tag}\r\n__exception__\r\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_password_is_refused()
    {
        using HttpResponseMessage response = await _sql.PostAsync("SELECT 1", "user=sketch&password=wrong");
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("516", Assert.Single(response.Headers.GetValues("X-ClickHouse-Exception-Code")));
    }

    [Fact]
    public async Task Bodies_may_be_compressed_and_answers_too()
    {
        foreach ((string encoding, Func<Stream, Stream> compress) in new (string, Func<Stream, Stream>)[]
        {
            ("gzip", s => new GZipStream(s, CompressionLevel.Fastest, leaveOpen: true)),
            ("zstd", s => new ZstdSharp.CompressionStream(s, leaveOpen: true)),
            ("br", s => new BrotliStream(s, CompressionLevel.Fastest, leaveOpen: true)),
        })
        {
            using MemoryStream bytes = new();
            await using (Stream stream = compress(bytes))
            {
                await stream.WriteAsync("SELECT 'compressed'"u8.ToArray());
            }

            using ByteArrayContent content = new(bytes.ToArray());
            content.Headers.ContentEncoding.Add(encoding);
            using HttpResponseMessage response = await _sql.PostAsync("", "", content);
            Assert.Equal("compressed\n", await response.Content.ReadAsStringAsync());
        }

        using HttpClient http = new();
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(clickHouse.Process.Address, "/?enable_http_compression=1"))
        {
            Content = new StringContent("SELECT number FROM numbers(100000)"),
        };
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
        using HttpResponseMessage zipped = await http.SendAsync(request);
        Assert.Equal("gzip", Assert.Single(zipped.Content.Headers.ContentEncoding));
        await using GZipStream unzipped = new(await zipped.Content.ReadAsStreamAsync(), CompressionMode.Decompress);
        using StreamReader reader = new(unzipped);
        Assert.Equal(100_001, (await reader.ReadToEndAsync()).Split('\n').Length);
    }

    [Fact]
    public async Task Body_that_is_not_what_it_says_is_an_error()
    {
        foreach (string encoding in new[] { "gzip", "deflate", "zstd" })
        {
            using ByteArrayContent content = new([1, 2, 3, 4]);
            content.Headers.ContentEncoding.Add(encoding);
            using HttpResponseMessage response = await _sql.PostAsync("", "", content);
            Assert.Equal("354", Assert.Single(response.Headers.GetValues("X-ClickHouse-Exception-Code")));
        }
    }

    [Fact]
    public async Task Statement_may_stand_in_the_query_or_in_the_body_or_in_both()
    {
        using HttpResponseMessage get = await _sql.GetAsync("/?query=SELECT%201");
        Assert.Equal("1\n", await get.Content.ReadAsStringAsync());
        Assert.Equal("3", await _sql.AskAsync("+ 2", "query=SELECT%201"));
        using HttpResponseMessage written = await _writer.GetAsync("/?query=CREATE%20TABLE%20x%20(a%20UInt8)%20ENGINE%20%3D%20Memory");
        Assert.False(written.IsSuccessStatusCode);
    }

    [Fact]
    public async Task Parameters_are_values_whatever_they_hold()
    {
        string hostile = "'; DROP TABLE totals; -- \\ \" ` 日本 {x:String}";
        string escaped = Uri.EscapeDataString(hostile.Replace("\\", "\\\\", StringComparison.Ordinal));
        Assert.Equal(
            Convert.ToHexString(Encoding.UTF8.GetBytes(hostile)),
            await _sql.AskAsync("SELECT hex({text:String})", $"param_text={escaped}"));
        using MultipartFormDataContent form = new() { { new StringContent("SELECT {a:UInt64} + 1"), "query" }, { new StringContent("41"), "param_a" } };
        using HttpResponseMessage response = await _sql.PostAsync("", "", form);
        Assert.Equal("42\n", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Sessions_keep_what_belongs_to_them()
    {
        string id = $"session_id={Guid.NewGuid()}";
        await _writer.AskAsync("CREATE TEMPORARY TABLE mine (a UInt64)", id);
        await _writer.AskAsync("INSERT INTO mine VALUES (1), (2)", id);
        Assert.Equal("3", await _writer.AskAsync("SELECT sum(a) FROM mine", id));
        await Assert.ThrowsAsync<InvalidOperationException>(() => _writer.AskAsync("SELECT sum(a) FROM mine"));
        string reader = $"session_id={Guid.NewGuid()}";
        Assert.Equal("1", await _sql.AskAsync("SELECT 1", reader));
        Assert.Equal("2", await _sql.AskAsync("SELECT 2", reader + "&max_result_rows=5"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => _sql.AskAsync("SELECT file('/etc/passwd')", reader));
    }

    [Fact]
    public async Task Settings_do_not_outlive_their_request()
    {
        Assert.Equal("1", await _writer.AskAsync("SELECT value FROM system.settings WHERE name = 'max_threads'", "max_threads=1"));
        Assert.NotEqual("1", await _writer.AskAsync("SELECT changed FROM system.settings WHERE name = 'max_threads'"));
    }

    [Fact]
    public async Task Query_whose_client_left_is_cancelled()
    {
        using HttpClient http = new();
        using CancellationTokenSource leave = new();
        Task<HttpResponseMessage> asked = http.PostAsync(
            clickHouse.Process.Address, new StringContent("SELECT count() FROM numbers(100000000000) WHERE NOT ignore(number, 'slow')"), leave.Token);
        await EmbeddedClickHouseFixture.UntilAsync(async () => await RunningAsync() > 0);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        await EmbeddedClickHouseFixture.UntilAsync(async () => await RunningAsync() == 0);

        async Task<int> RunningAsync() => int.Parse(
            await _writer.AskAsync("SELECT count() FROM system.processes WHERE query LIKE '%''slow''%' AND query NOT LIKE '%processes%'"),
            System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task Too_many_readers_are_told_to_come_back()
    {
        using CancellationTokenSource leave = new();
        using HttpClient http = new();
        Task<HttpResponseMessage>[] asked =
        [
            .. Enumerable.Range(0, 60).Select(_ => http.PostAsync(
                clickHouse.Process.Address, new StringContent("SELECT count() FROM numbers(100000000000) WHERE NOT ignore(number)"), leave.Token)),
        ];
        HttpResponseMessage refused = await await Task.WhenAny(asked);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal("202", Assert.Single(refused.Headers.GetValues("X-ClickHouse-Exception-Code")));
        await leave.CancelAsync();
        await EmbeddedClickHouseFixture.UntilAsync(async () =>
        {
            using HttpResponseMessage response = await _sql.PostAsync("SELECT 1");
            return response.IsSuccessStatusCode;
        });
    }

    [Fact]
    public async Task ClickHouse_Driver_reads_as_an_analyst()
    {
        using ClickHouseClient client = new(new ClickHouseClientSettings { Host = "127.0.0.1", Port = (ushort)clickHouse.Process.Address.Port });
        Assert.True(await client.PingAsync());
        Assert.Equal((byte)1, await client.ExecuteScalarAsync("SELECT 1"));
        ClickHouseParameterCollection parameters = [];
        parameters.AddParameter("name", "it's \\ 日本");
        parameters.AddParameter("many", new[] { 1, 2, 3 });
        using ClickHouseDataReader reader = await client.ExecuteReaderAsync(
            "SELECT {name:String}, {many:Array(Int32)}, number, now(), NULL, map('a', 1.5) FROM numbers(100000)", parameters);
        int rows = 0;
        for (; await reader.ReadAsync(); rows++)
        {
            Assert.Equal("it's \\ 日本", reader.GetString(0));
            Assert.Equal([1, 2, 3], reader.GetFieldValue<int[]>(1));
            Assert.Equal((ulong)rows, reader.GetFieldValue<ulong>(2));
            Assert.True(reader.IsDBNull(4));
        }

        Assert.Equal(100_000, rows);
        ClickHouseServerException refused = await Assert.ThrowsAsync<ClickHouseServerException>(
            () => client.ExecuteNonQueryAsync("CREATE TABLE x (a UInt8) ENGINE = Memory"));
        Assert.Equal(497, refused.ErrorCode);
        ClickHouseServerException unknown = await Assert.ThrowsAsync<ClickHouseServerException>(() => client.ExecuteScalarAsync("SELECT nope"));
        Assert.Equal(47, unknown.ErrorCode);
    }

    [Fact]
    public async Task ClickHouse_Driver_writes_as_the_node()
    {
        using ClickHouseClient client = new(new ClickHouseClientSettings
        {
            Host = "127.0.0.1",
            Port = (ushort)clickHouse.Process.Address.Port,
            Username = "sketch",
            Password = clickHouse.Process.Password,
        });
        await client.ExecuteNonQueryAsync("CREATE TABLE driver (a UInt64, b Nullable(String)) ENGINE = Memory");
        try
        {
            long inserted = await client.InsertBinaryAsync(
                "driver", ["a", "b"], Enumerable.Range(0, 100_000).Select(i => new object?[] { (ulong)i, i % 2 == 0 ? null : $"row {i}" })!);
            Assert.Equal(100_000, inserted);
            using (MemoryStream csv = new("100000,x\n100001,y\n"u8.ToArray()))
            {
                using HttpResponseMessage raw = await client.InsertRawStreamAsync("driver", csv, "CSV", ["a", "b"]);
            }

            Assert.Equal("100002\t50000\t5000150001", await _sql.AskAsync("SELECT count(), countIf(b IS NULL), sum(a) FROM driver"));
        }
        finally
        {
            await client.ExecuteNonQueryAsync("DROP TABLE driver");
        }
    }

    [Fact]
    public async Task Insert_that_breaks_off_stores_nothing()
    {
        await _writer.AskAsync("CREATE TABLE broken (a UInt64) ENGINE = MergeTree ORDER BY a");
        await Assert.ThrowsAsync<InvalidOperationException>(() => _writer.AskAsync("INSERT INTO broken FORMAT RowBinary\n123456789"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => _writer.AskAsync("INSERT INTO broken FORMAT JSONEachRow\n{\"a\": 1}\n{\"a\": x}"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => _writer.AskAsync("INSERT INTO nothing FORMAT CSV\n1"));
        Assert.Equal("0", await _sql.AskAsync("SELECT count() FROM broken"));
        await _writer.AskAsync("INSERT INTO broken SELECT number FROM numbers(3)");
        await _writer.AskAsync("INSERT INTO broken (a) VALUES (7), (8)");
        await _writer.AskAsync("9\n", "query=INSERT%20INTO%20broken%20FORMAT%20CSV");
        Assert.Equal("0\n1\n2\n7\n8\n9", await _sql.AskAsync("SELECT a FROM broken ORDER BY a"));
        await _writer.AskAsync("DROP TABLE broken");
    }

    public void Dispose()
    {
        _sql.Dispose();
        _writer.Dispose();
    }
}
