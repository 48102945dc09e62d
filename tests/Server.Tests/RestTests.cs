using System.Text.Json;

namespace Sketch.Tests.Server;

public sealed class RestTests : IAsyncLifetime
{
    private NodeHost _node = null!;

    public async Task InitializeAsync()
    {
        _node = await NodeHost.StartAsync();
        Assert.Equal(201, (await _node.PutAsync("/v1/namespaces/shop", """{"tier":"strong"}""")).Status);
        Assert.Equal(201, (await _node.PutAsync("/v1/namespaces/words", "{}")).Status);
    }

    public Task DisposeAsync() => _node.DisposeAsync().AsTask();

    [Fact]
    public async Task A_namespace_is_created_then_changed_then_listed()
    {
        Answer made = await _node.PutAsync("/v1/namespaces/pages", """{"tier":"eventual","durable":true,"retentionDays":7,"maxCounters":50,"lifetimeDays":365}""");
        Assert.Equal(201, made.Status);
        Assert.Equal("""{"name":"pages","tier":"eventual","durable":true,"retentionDays":7,"maxCounters":50,"lifetimeDays":365,"counters":0}""", made.Text);

        Answer changed = await _node.PutAsync("/v1/namespaces/pages", "");
        Assert.Equal(200, changed.Status);
        Assert.Equal("""{"name":"pages","tier":"approximate","durable":false,"retentionDays":30,"maxCounters":10000000,"lifetimeDays":30,"counters":0}""", changed.Text);
        Assert.Equal(changed.Text, (await _node.GetAsync("/v1/namespaces/pages")).Text);

        JsonElement list = (await _node.GetAsync("/v1/namespaces")).Json.GetProperty("namespaces");
        Assert.Equal(["pages", "shop", "words"], list.EnumerateArray().Select(n => n.GetProperty("name").GetString()!));
    }

    [Fact]
    public async Task Strong_increments_answer_with_the_new_values()
    {
        Answer answer = await _node.PostAsync("/v1/namespaces/shop/increments", """{"increments":[{"name":"sold","delta":5},{"name":"sold","delta":-2},{"name":"seen"}]}""");
        Assert.Equal(200, answer.Status);
        Assert.Equal(3, answer.Json.GetProperty("accepted").GetInt32());
        Assert.False(answer.Json.GetProperty("duplicate").GetBoolean());
        Assert.True(answer.Json.GetProperty("position").GetInt64() > 0);
        Assert.Equal(
            [("sold", 3L, true), ("seen", 1L, true)],
            answer.Json.GetProperty("values").EnumerateArray().Select(v =>
                (v.GetProperty("name").GetString()!, v.GetProperty("value").GetInt64(), v.GetProperty("exact").GetBoolean())));
    }

    [Fact]
    public async Task Approximate_increments_answer_without_values()
    {
        Answer answer = await _node.PostAsync("/v1/namespaces/words/increments", """{"increments":[{"name":"the","delta":5}]}""");
        Assert.Equal(200, answer.Status);
        Assert.False(answer.Json.TryGetProperty("values", out _));
        await _node.WaitForValueAsync("words", "the", 5);
    }

    [Fact]
    public async Task A_value_has_every_member_and_bounds_around_it()
    {
        await _node.PostAsync("/v1/namespaces/words/increments", """{"increments":[{"name":"été","delta":7}]}""");
        await _node.WaitForValueAsync("words", "été", 7);
        Answer answer = await _node.GetAsync("/v1/namespaces/words/counters/%C3%A9t%C3%A9?confidence=0.9");
        Assert.Contains("\"été\"", answer.Text, StringComparison.Ordinal);
        JsonElement value = answer.Json;
        Assert.Equal(
            ["namespace", "name", "kind", "tier", "value", "lower", "upper", "confidence", "exact", "exactAsOf", "ratePerSecond", "labels", "ratePerSecond5m"],
            value.EnumerateObject().Select(member => member.Name));
        Assert.Equal(("sum", "approximate"), (value.GetProperty("kind").GetString(), value.GetProperty("tier").GetString()));
        Assert.InRange(7, value.GetProperty("lower").GetInt64(), value.GetProperty("upper").GetInt64());
    }

    [Fact]
    public async Task A_retry_with_the_same_producer_and_sequence_counts_once()
    {
        const string Body = """{"producer":"till-1","sequence":1,"increments":[{"name":"retried","delta":4}]}""";
        Answer first = await _node.PostAsync("/v1/namespaces/shop/increments", Body);
        Answer second = await _node.PostAsync("/v1/namespaces/shop/increments", Body);
        Assert.False(first.Json.GetProperty("duplicate").GetBoolean());
        Assert.True(second.Json.GetProperty("duplicate").GetBoolean());
        Assert.Equal(first.Json.GetProperty("position").GetInt64(), second.Json.GetProperty("position").GetInt64());
        Assert.Equal(1, second.Json.GetProperty("accepted").GetInt32());
        Assert.Equal(4, await _node.ValueAsync("shop", "retried"));
    }

    [Fact]
    public async Task Lines_are_counted_with_producer_and_sequence_from_the_query()
    {
        const string Body = "{\"name\":\"line\",\"delta\":2}\r\n\n{\"name\":\"line\"}\n{\"name\":\"tab\\t\\u00e9\"}";
        await _node.PostAsync("/v1/namespaces/shop/increments?producer=p&sequence=1", Body.Replace("\\t", "", StringComparison.Ordinal), "application/x-ndjson");
        Answer again = await _node.PostAsync(
            "/v1/namespaces/shop/increments?producer=p&sequence=1", Body.Replace("\\t", "", StringComparison.Ordinal), "application/x-ndjson; charset=UTF-8");
        Assert.True(again.Json.GetProperty("duplicate").GetBoolean());
        Assert.Equal(3, await _node.ValueAsync("shop", "line"));
        Assert.Equal(1, await _node.ValueAsync("shop", "tabé"));
    }

    [Fact]
    public async Task Members_may_come_in_any_order_and_names_be_escaped()
    {
        Answer answer = await _node.PostAsync(
            "/v1/namespaces/shop/increments", """ { "increments" : [ { "delta" : 3 , "name" : "a\/\"\\\u00e9" } ] , "sequence" : 9 , "producer" : "q" } """);
        Assert.Equal(200, answer.Status);
        Assert.Equal(3, await _node.ValueAsync("shop", "a/\"\\é"));
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("a%2Fb")]
    [InlineData("100%")]
    [InlineData("a b+c?d#e")]
    [InlineData("counters")]
    [InlineData("日本語")]
    public async Task A_name_is_read_back_whatever_it_holds(string name)
    {
        await _node.PostAsync("/v1/namespaces/shop/increments", $$"""{"increments":[{"name":{{JsonSerializer.Serialize(name)}},"delta":11}]}""");
        Assert.Equal(11, await _node.ValueAsync("shop", name));
        Answer history = await _node.GetAsync($"/v1/namespaces/shop/counters/{Uri.EscapeDataString(name)}/history");
        Assert.Equal(name, history.Json.GetProperty("name").GetString());
    }

    [Fact]
    public async Task A_counter_is_created_with_tier_and_labels()
    {
        Answer made = await _node.PutAsync("/v1/namespaces/words/counters/orders", """{"kind":"sum","tier":"strong","labels":{"team":"checkout"}}""");
        Assert.Equal(201, made.Status);
        Assert.Equal("strong", made.Json.GetProperty("tier").GetString());
        Assert.Equal("checkout", made.Json.GetProperty("labels").GetProperty("team").GetString());
        Assert.Equal(200, (await _node.PutAsync("/v1/namespaces/words/counters/orders", """{"tier":"strong"}""")).Status);

        Answer counted = await _node.PostAsync("/v1/namespaces/words/increments", """{"increments":[{"name":"orders","delta":-3},{"name":"other"}]}""");
        Assert.Equal(-3, Assert.Single(counted.Json.GetProperty("values").EnumerateArray()).GetProperty("value").GetInt64());
    }

    [Fact]
    public async Task Counters_are_listed_by_prefix_a_page_at_a_time()
    {
        await _node.PostAsync("/v1/namespaces/shop/increments", """{"increments":[{"name":"b1"},{"name":"a2"},{"name":"a1"},{"name":"a3"},{"name":"é"}]}""");
        List<string> names = [];
        string? cursor = null;
        do
        {
            string after = cursor is null ? "" : "&cursor=" + cursor;
            JsonElement page = (await _node.GetAsync("/v1/namespaces/shop/counters?prefix=a&limit=2" + after)).Json;
            names.AddRange(page.GetProperty("values").EnumerateArray().Select(v => v.GetProperty("name").GetString()!));
            cursor = page.GetProperty("cursor").GetString();
        }
        while (cursor is not null);
        Assert.Equal(["a1", "a2", "a3"], names);
    }

    [Fact]
    public async Task Many_values_are_read_in_the_order_asked_for()
    {
        await _node.PostAsync("/v1/namespaces/shop/increments", """{"increments":[{"name":"x","delta":1},{"name":"y","delta":2}]}""");
        Answer answer = await _node.PostAsync("/v1/namespaces/shop/values", """{"names":["y","nobody","x"]}""");
        Assert.Equal(["y", "x"], answer.Json.GetProperty("values").EnumerateArray().Select(v => v.GetProperty("name").GetString()!));
        Assert.Equal(JsonValueKind.Null, answer.Json.GetProperty("cursor").ValueKind);
    }

    [Fact]
    public async Task The_heaviest_come_first()
    {
        await _node.PostAsync("/v1/namespaces/shop/increments", """{"increments":[{"name":"x","delta":1},{"name":"y","delta":3},{"name":"z","delta":2}]}""");
        Answer answer = await _node.GetAsync("/v1/namespaces/shop/top?k=2");
        Assert.Equal(["y", "z"], answer.Json.GetProperty("values").EnumerateArray().Select(v => v.GetProperty("name").GetString()!));
    }

    [Fact]
    public async Task History_answers_with_the_steps_that_have_increments()
    {
        await _node.PostAsync("/v1/namespaces/shop/increments", """{"increments":[{"name":"x","delta":3}]}""");
        await _node.Node.Engine.CheckpointAsync(default);
        string to = Uri.EscapeDataString(DateTimeOffset.UtcNow.AddHours(1).ToString("O"));
        JsonElement history = (await _node.GetAsync($"/v1/namespaces/shop/counters/x/history?to={to}&step=1d")).Json;
        Assert.Equal(86_400, history.GetProperty("stepSeconds").GetInt32());
        JsonElement point = Assert.Single(history.GetProperty("points").EnumerateArray());
        Assert.Equal((3, TimeSpan.Zero), (point.GetProperty("value").GetInt64(), point.GetProperty("start").GetDateTimeOffset().TimeOfDay));

        JsonElement past = (await _node.GetAsync("/v1/namespaces/shop/counters/x/history?from=2026-01-01T00:00:00Z&to=2026-01-03T00:00:00+01:00")).Json;
        Assert.Equal("2026-01-02T23:00:00+00:00", past.GetProperty("to").GetString());
        Assert.Empty(past.GetProperty("points").EnumerateArray());
    }

    [Fact]
    public async Task Health_tells_alive_and_ready()
    {
        Assert.Equal(200, (await _node.GetAsync("/health/live")).Status);
        Answer ready = await _node.GetAsync("/health/ready");
        Assert.Equal((200, "ready"), (ready.Status, ready.Json.GetProperty("status").GetString()));
        Assert.True(ready.Json.GetProperty("engine").GetProperty("position").GetInt64() > 0);
    }

    [Fact]
    public async Task OpenApi_describes_every_route_with_words()
    {
        Answer answer = await _node.GetAsync("/openapi/v1.json");
        Assert.Equal(200, answer.Status);
        JsonElement paths = answer.Json.GetProperty("paths");
        Assert.Equal(
            [
                "/health/live", "/health/ready", "/metrics", "/v1/backups", "/v1/namespaces", "/v1/namespaces/{namespace}", "/v1/namespaces/{namespace}/accuracy",
                "/v1/namespaces/{namespace}/alerts", "/v1/namespaces/{namespace}/alerts/{id}",
                "/v1/namespaces/{namespace}/counters", "/v1/namespaces/{namespace}/counters/{name}",
                "/v1/namespaces/{namespace}/counters/{name}/accuracy", "/v1/namespaces/{namespace}/counters/{name}/history",
                "/v1/namespaces/{namespace}/counters/{name}/reset", "/v1/namespaces/{namespace}/counters/{name}/top",
                "/v1/namespaces/{namespace}/increments", "/v1/namespaces/{namespace}/increments/stream", "/v1/namespaces/{namespace}/top", "/v1/namespaces/{namespace}/values",
                "/v1/namespaces/{namespace}/watch", "/v1/sql", "/v1/verify",
            ],
            paths.EnumerateObject().Select(path => path.Name).Order(StringComparer.Ordinal));
        foreach (JsonElement operation in paths.EnumerateObject().SelectMany(path => path.Value.EnumerateObject()).Select(method => method.Value))
        {
            Assert.True(operation.GetProperty("summary").GetString()!.Length > 5);
            Assert.True(operation.GetProperty("description").GetString()!.Length > 20);
        }

        JsonElement post = paths.GetProperty("/v1/namespaces/{namespace}/increments").GetProperty("post");
        Assert.Equal(
            ["application/json", "application/x-ndjson"],
            post.GetProperty("requestBody").GetProperty("content").EnumerateObject().Select(type => type.Name));
        Assert.True(post.GetProperty("responses").TryGetProperty("429", out _));
    }
}
