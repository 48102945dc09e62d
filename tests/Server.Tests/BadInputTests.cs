using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Sketch.Tests.Server;

/// <summary>Every bad input is a problem that names the field, the value and what is allowed; nothing of it is counted.</summary>
public sealed class BadInputTests : IAsyncLifetime
{
    private const string Increments = "/v1/namespaces/words/increments";
    private NodeHost _node = null!;

    public async Task InitializeAsync()
    {
        _node = await NodeHost.StartAsync();
        await _node.PutAsync("/v1/namespaces/words", "{}");
        await _node.PutAsync("/v1/namespaces/shop", """{"tier":"strong"}""");
    }

    public Task DisposeAsync() => _node.DisposeAsync().AsTask();

    public static TheoryData<string, string, string, string> BadIncrements => new()
    {
        { """{"increments":[{"name":"good"},{"name":"","delta":1}]}""", "increments[1].name", "''", "1 to 256 bytes" },
        { $$"""{"increments":[{"name":"good"},{"name":"{{new string('x', 257)}}"}]}""", "increments[1].name", "257 bytes", "1 to 256 bytes" },
        { $$"""{"increments":[{"name":"good"},{"name":"{{new string('é', 129)}}"}]}""", "increments[1].name", "258 bytes", "1 to 256 bytes" },
        { """{"increments":[{"name":"good"},{"name":"a\u0000b"}]}""", "increments[1].name", "a", "without control characters" },
        { """{"increments":[{"name":"good"},{"name":"\ud800"}]}""", "increments[1].name", "\\ud800", "UTF-8" },
        { """{"increments":[{"name":"good"},{"name":7}]}""", "increments[1].name", "7", "a string" },
        { """{"increments":[{"name":"good"},{"delta":7}]}""", "increments[1].name", "missing", "a string" },
        { """{"increments":[{"name":"good"},{"name":"x","delta":1000000000001}]}""", "increments[1].delta", "1000000000001", "1000000000000" },
        { """{"increments":[{"name":"good"},{"name":"x","delta":-1000000000001}]}""", "increments[1].delta", "-1000000000001", "-1000000000000" },
        { """{"increments":[{"name":"good"},{"name":"x","delta":99999999999999999999}]}""", "increments[1].delta", "99999999999999999999", "1000000000000" },
        { """{"increments":[{"name":"good"},{"name":"x","delta":-1}]}""", "increments[1].delta", "-1", "strong and eventual" },
        { """{"increments":[{"name":"good"},{"name":"x","delta":1.5}]}""", "increments[1].delta", "1.5", "a whole number" },
        { """{"increments":[{"name":"good"},{"name":"x","delta":"1"}]}""", "increments[1].delta", "1", "a whole number" },
        { """{"increments":[{"name":"good"},{"name":"x","colour":"red"}]}""", "increments[1].colour", "not a member", "name, delta" },
        { """{"increments":[{"name":"good"},{"name":"x","element":"e"}]}""", "increments[1].name", "x", "made with the kind distinct" },
        { """{"increments":[{"name":"good"},{"name":"x","element":7}]}""", "increments[1].element", "7", "a string of 1 to 256 bytes" },
        { """{"increments":[{"name":"good"},{"name":"x","element":""}]}""", "increments[1].element", "''", "1 to 256 bytes" },
        { """{"increments":[{"name":"good"},{"name":"x","element":"e","element":"f"}]}""", "increments[1].element", "given twice", "name, delta, element" },
        { """{"increments":[{"name":"good"},{"name":"x","name":"y"}]}""", "increments[1].name", "given twice", "name, delta" },
        { """{"increments":[{"name":"good"},7]}""", "increments[1]", "7", "an object" },
        { """{"increments":[]}""", "increments", "empty", "1 to 10000" },
        { "{}", "increments", "empty", "1 to 10000" },
        { """{"increments":7}""", "increments", "7", "a list" },
        { """{"increments":[{"name":"good"}],"increments":[]}""", "increments", "given twice", "one list" },
        { "[]", "body", "an array", "increments" },
        { "", "body", "not JSON at line 1, byte 1", "increments" },
        { """{"increments":[{"name":"good"}],"more":1}""", "more", "not a member", "producer, sequence, increments" },
        { """{"producer":"p","increments":[{"name":"good"}]}""", "sequence", "missing", "1 to" },
        { """{"sequence":1,"increments":[{"name":"good"}]}""", "producer", "missing", "1 to 64 bytes" },
        { """{"producer":"p","sequence":0,"increments":[{"name":"good"}]}""", "sequence", "0", "1 to" },
        { """{"producer":"","sequence":1,"increments":[{"name":"good"}]}""", "producer", "empty", "1 to 64 bytes" },
        { $$"""{"producer":"{{new string('p', 65)}}","sequence":1,"increments":[{"name":"good"}]}""", "producer", "ppp", "1 to 64 bytes" },
    };

    [Theory]
    [MemberData(nameof(BadIncrements))]
    public async Task A_batch_with_anything_wrong_is_refused_whole(string body, string field, string value, string allowed)
    {
        (await _node.PostAsync(Increments, body)).IsProblem(400, field, value, allowed);
        await NothingWasCountedAsync();
    }

    [Theory]
    [InlineData("""{"increments":[{"name":"good"},""", 1, 31)]
    [InlineData("{\"increments\":[{\"name\":\"good\"}\n,{\"name\" \"x\"}]}", 2, 10)]
    [InlineData("""{"increments":[{"name":"good"}]} x""", 1, 34)]
    [InlineData("not json", 1, 2)]
    public async Task Malformed_json_names_line_and_byte(string body, int line, int at)
    {
        Answer answer = (await _node.PostAsync(Increments, body)).IsProblem(400, "body", "not JSON", "increments");
        Assert.Equal((line, at), (answer.Json.GetProperty("line").GetInt32(), answer.Json.GetProperty("byte").GetInt32()));
        await NothingWasCountedAsync();
    }

    [Fact]
    public async Task A_bad_line_names_its_line()
    {
        Answer malformed = await _node.PostAsync(Increments, "{\"name\":\"good\"}\n{\"name\"}\n", "application/x-ndjson");
        Assert.Equal(2, malformed.IsProblem(400, "body", "line 2", "lines").Json.GetProperty("line").GetInt32());
        Answer refused = await _node.PostAsync(Increments, "{\"name\":\"good\"}\n\n{\"name\":\"x\",\"delta\":-1}", "application/x-ndjson");
        Assert.Equal(3, refused.IsProblem(400, "increments[1].delta", "-1", "strong").Json.GetProperty("line").GetInt32());
        (await _node.PostAsync(Increments, "{\"name\":\"good\"} {}", "application/x-ndjson")).IsProblem(400, "body", "not JSON", "lines");
        (await _node.PostAsync(Increments + "?producer=p", "{\"name\":\"good\"}", "application/x-ndjson")).IsProblem(400, "sequence", "missing", "1 to");
        (await _node.PostAsync(Increments + "?producer=p&sequence=x", "{\"name\":\"good\"}", "application/x-ndjson")).IsProblem(400, "sequence", "x", "1 to");
        await NothingWasCountedAsync();
    }

    [Fact]
    public async Task A_name_that_is_not_utf8_is_refused()
    {
        byte[] body = [.. """{"increments":[{"name":"good"},{"name":" """u8, 0xFF, 0xC3, .. "\"}]}"u8];
        (await _node.SendAsync(HttpMethod.Post, Increments, body)).IsProblem(400, "increments[1].name", "", "UTF-8");
        await NothingWasCountedAsync();
    }

    [Fact]
    public async Task More_than_ten_thousand_increments_are_refused()
    {
        string increments = string.Join(',', Enumerable.Repeat("""{"name":"good"}""", 10_001));
        (await _node.PostAsync(Increments, $$"""{"increments":[{{increments}}]}""")).IsProblem(400, "increments", "more than 10000", "1 to 10000");
        await NothingWasCountedAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_over_the_limit_is_413(bool chunked)
    {
        byte[] body = Encoding.UTF8.GetBytes("""{"increments":[{"name":"good"}]}""" + new string(' ', 2 << 20));
        using HttpRequestMessage request = new(HttpMethod.Post, Increments) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.TransferEncodingChunked = chunked;
        using HttpResponseMessage response = await _node.Http.SendAsync(request);
        (await Answer.ReadAsync(response)).IsProblem(413, "body", chunked ? "more than" : $"{body.Length} bytes", "at most 1048576 bytes");
        await NothingWasCountedAsync();
    }

    [Theory]
    [InlineData("text/plain", "text/plain")]
    [InlineData("application/x-www-form-urlencoded", "application/x-www-form-urlencoded")]
    [InlineData("application/json; charset=utf-16", "utf-16")]
    [InlineData("", "missing")]
    public async Task A_wrong_content_type_is_415(string contentType, string value)
    {
        (await _node.PostAsync(Increments, """{"increments":[{"name":"good"}]}""", contentType))
            .IsProblem(415, "Content-Type", value, "application/json or application/x-ndjson");
        (await _node.PostAsync("/v1/namespaces/words/values", """{"names":["good"]}""", contentType)).IsProblem(415, "Content-Type", value, "application/json");
        (await _node.SendAsync(HttpMethod.Put, "/v1/namespaces/other", "{}", contentType)).IsProblem(415, "Content-Type", value, "application/json");
        await NothingWasCountedAsync();
    }

    [Fact]
    public async Task A_compressed_body_is_415()
    {
        using HttpRequestMessage request = new(HttpMethod.Post, Increments) { Content = new StringContent("x", Encoding.UTF8, "application/json") };
        request.Content.Headers.ContentEncoding.Add("gzip");
        using HttpResponseMessage response = await _node.Http.SendAsync(request);
        (await Answer.ReadAsync(response)).IsProblem(415, "Content-Encoding", "gzip", "none");
    }

    [Fact]
    public async Task An_unknown_namespace_is_404_everywhere()
    {
        const string Allowed = "PUT /v1/namespaces/{namespace}";
        (await _node.PostAsync("/v1/namespaces/none/increments", """{"increments":[{"name":"x"}]}""")).IsProblem(404, "namespace", "none", Allowed);
        (await _node.PostAsync("/v1/namespaces/none/values", """{"names":["x"]}""")).IsProblem(404, "namespace", "none", Allowed);
        (await _node.GetAsync("/v1/namespaces/none")).IsProblem(404, "namespace", "none", Allowed);
        (await _node.GetAsync("/v1/namespaces/none/top")).IsProblem(404, "namespace", "none", Allowed);
        (await _node.GetAsync("/v1/namespaces/none/counters")).IsProblem(404, "namespace", "none", Allowed);
        (await _node.GetAsync("/v1/namespaces/none/counters/x")).IsProblem(404, "namespace", "none", Allowed);
        (await _node.GetAsync("/v1/namespaces/none/counters/x/history")).IsProblem(404, "namespace", "none", Allowed);
        (await _node.PutAsync("/v1/namespaces/none/counters/x", "{}")).IsProblem(404, "namespace", "none", Allowed);
    }

    [Fact]
    public async Task An_unknown_counter_is_404()
    {
        (await _node.GetAsync("/v1/namespaces/words/counters/none")).IsProblem(404, "name", "none", "incremented");
        (await _node.GetAsync("/v1/namespaces/words/counters/none/history")).IsProblem(404, "name", "none", "incremented");
    }

    [Theory]
    [InlineData("Upper", "Upper")]
    [InlineData("a%20b", "a b")]
    [InlineData("-x", "-x")]
    public async Task A_bad_namespace_name_is_refused(string name, string value) =>
        (await _node.PutAsync("/v1/namespaces/" + name, "{}")).IsProblem(400, "namespace", value, "a-z, 0-9");

    [Theory]
    [InlineData("""{"tier":"exact"}""", "tier", "exact", "strong, eventual, approximate")]
    [InlineData("""{"tier":1}""", "tier", "1", "strong, eventual, approximate")]
    [InlineData("""{"durable":"yes"}""", "durable", "yes", "true or false")]
    [InlineData("""{"retentionDays":0}""", "retentionDays", "0", "1 to 365")]
    [InlineData("""{"retentionDays":1.5}""", "retentionDays", "1.5", "1 to 365")]
    [InlineData("""{"maxCounters":100000001}""", "maxCounters", "100000001", "1 to 100000000")]
    [InlineData("""{"Tier":"strong"}""", "Tier", "not a member", "tier, durable, retentionDays, maxCounters, lifetimeDays")]
    [InlineData("""{"lifetimeDays":366}""", "lifetimeDays", "366", "1 to 365")]
    [InlineData("[1]", "body", "[1]", "a JSON object")]
    [InlineData("""{"tier":"strong" """, "body", "not JSON", "a JSON object")]
    [InlineData("""{"tier":"strong","tier":"eventual"}""", "body", "", "a JSON object")]
    public async Task A_bad_namespace_definition_is_refused(string body, string field, string value, string allowed)
    {
        (await _node.PutAsync("/v1/namespaces/fresh", body)).IsProblem(400, field, value, allowed);
        Assert.Equal(404, (await _node.GetAsync("/v1/namespaces/fresh")).Status);
    }

    [Theory]
    [InlineData("""{"kind":"median"}""", "kind", "median", "sum, distinct, top")]
    [InlineData("""{"kind":"top","k":0}""", "k", "0", "1 to 1000")]
    [InlineData("""{"kind":"sum","k":5}""", "k", "5", "only counters of the kind top")]
    [InlineData("""{"tier":"exact"}""", "tier", "exact", "strong, eventual, approximate")]
    [InlineData("""{"labels":["a"]}""", "labels", "[", "at most 16 labels")]
    [InlineData("""{"labels":{"a":1}}""", "labels.a", "1", "at most 16 labels")]
    [InlineData("""{"relativeError":0.1}""", "relativeError", "not a member", "kind, tier, k, labels")]
    public async Task A_bad_counter_definition_is_refused(string body, string field, string value, string allowed)
    {
        (await _node.PutAsync("/v1/namespaces/words/counters/fresh", body)).IsProblem(400, field, value, allowed);
        Assert.Equal(404, (await _node.GetAsync("/v1/namespaces/words/counters/fresh")).Status);
    }

    [Fact]
    public async Task A_bad_counter_name_in_a_path_is_refused()
    {
        (await _node.PutAsync("/v1/namespaces/words/counters/" + new string('x', 257), "{}")).IsProblem(400, "name", "257 bytes", "1 to 256 bytes");
        (await _node.PutAsync("/v1/namespaces/words/counters/", "{}")).IsProblem(400, "name", "empty", "1 to 256 bytes");
        (await _node.PutAsync("/v1/namespaces/words/counters/a%0Ab", "{}")).IsProblem(400, "name", "a", "without control characters");
    }

    [Fact]
    public async Task Too_many_or_too_long_labels_are_refused()
    {
        string many = JsonSerializer.Serialize(Enumerable.Range(0, 17).ToDictionary(i => $"l{i}", _ => "v"));
        Answer refused = await _node.PutAsync("/v1/namespaces/words/counters/fresh", $$"""{"labels":{{many}}}""");
        Assert.Equal((400, "application/problem+json"), (refused.Status, refused.ContentType));
        Assert.StartsWith("labels", refused.Json.GetProperty("field").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("top?k=0", "k", "0", "1 to 1000")]
    [InlineData("top?k=1001", "k", "1001", "1 to 1000")]
    [InlineData("top?k=ten", "k", "ten", "1 to 1000")]
    [InlineData("top?k=1&k=2", "k", "more than once", "one value")]
    [InlineData("top?confidence=0.5", "confidence", "0.5", "above 0.5 and below 1")]
    [InlineData("top?confidence=1", "confidence", "1", "above 0.5 and below 1")]
    [InlineData("top?confidence=NaN", "confidence", "NaN", "above 0.5 and below 1")]
    [InlineData("top?n=5", "n", "not a query parameter", "k, confidence")]
    [InlineData("counters?limit=-1", "limit", "-1", "1 to 1000")]
    [InlineData("counters?cursor=%25%25", "cursor", "%%", "the previous page")]
    [InlineData("counters/good/history?step=1m", "step", "1m", "1h to 744h")]
    [InlineData("counters/good/history?step=0h", "step", "0h", "1h to 744h")]
    [InlineData("counters/good/history?from=yesterday", "from", "yesterday", "2026-11-23T10:00:00Z")]
    [InlineData("counters/good/history?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from", "2026-01-02", "before to")]
    [InlineData("counters/good/history?from=2001-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", "step", "1h", "at most 10000 points")]
    public async Task A_bad_query_parameter_is_refused(string path, string field, string value, string allowed) =>
        (await _node.GetAsync("/v1/namespaces/words/" + path)).IsProblem(400, field, value, allowed);

    [Theory]
    [InlineData("{}", "names", "missing", "a list of 1 to 1000")]
    [InlineData("""{"names":[]}""", "names", "a list of 0", "a list of 1 to 1000")]
    [InlineData("""{"names":["a",1]}""", "names[1]", "1", "a list of 1 to 1000")]
    [InlineData("""{"names":"a"}""", "names", "a", "a list of 1 to 1000")]
    public async Task A_bad_list_of_names_is_refused(string body, string field, string value, string allowed) =>
        (await _node.PostAsync("/v1/namespaces/words/values", body)).IsProblem(400, field, value, allowed);

    [Fact]
    public async Task Unknown_routes_and_wrong_methods_are_problems_too()
    {
        (await _node.GetAsync("/v2/namespaces")).IsProblem(404, "path", "/v2/namespaces", "/openapi/v1.json");
        (await _node.SendAsync(HttpMethod.Delete, "/v1/namespaces/words", (byte[]?)null)).IsProblem(405, "method", "DELETE", "GET, PUT");
        (await _node.GetAsync(Increments)).IsProblem(405, "method", "GET", "POST");
    }

    [Fact]
    public async Task A_request_meant_for_another_host_is_refused()
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "/v1/namespaces");
        request.Headers.Host = "rebound.example:8080";
        using HttpResponseMessage response = await _node.Http.SendAsync(request);
        (await Answer.ReadAsync(response)).IsProblem(421, "Host", "rebound.example", "localhost");
    }

    [Fact]
    public async Task A_client_that_leaves_in_the_middle_of_a_body_changes_nothing()
    {
        using (TcpClient client = new())
        {
            await client.ConnectAsync(_node.Node.Http.Host, _node.Node.Http.Port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                $"POST {Increments} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n" + """{"increments":[{"name":"good"}"""));
        }

        await NothingWasCountedAsync();
    }

    // What comes after is visible at once (strong), and positions are in order: so whatever was counted before would be visible too.
    private async Task NothingWasCountedAsync()
    {
        await _node.PostAsync("/v1/namespaces/shop/increments", """{"increments":[{"name":"after"}]}""");
        Assert.Empty((await _node.GetAsync("/v1/namespaces/words/counters")).Json.GetProperty("values").EnumerateArray());
    }
}
