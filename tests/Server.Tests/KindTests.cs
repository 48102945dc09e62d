using System.Text.Json;

namespace Sketch.Tests.Server;

public sealed class KindTests : IAsyncLifetime
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
    public async Task Different_elements_are_counted_beside_sums()
    {
        Answer made = await _node.PutAsync("/v1/namespaces/shop/counters/buyers", """{"kind":"distinct"}""");
        Assert.Equal((201, "distinct", 0), (made.Status, made.Json.GetProperty("kind").GetString(), made.Json.GetProperty("value").GetInt64()));

        const string Body = """{"producer":"p","sequence":1,"increments":[{"name":"sold","delta":2},{"element":"ann","name":"buyers"},{"name":"buyers","element":"\u00e9"}]}""";
        Answer counted = await _node.PostAsync("/v1/namespaces/shop/increments", Body);
        Assert.Equal((200, 3), (counted.Status, counted.Json.GetProperty("accepted").GetInt32()));
        Assert.Equal(
            [("sold", 2L), ("buyers", 2L)],
            counted.Json.GetProperty("values").EnumerateArray().Select(v => (v.GetProperty("name").GetString()!, v.GetProperty("value").GetInt64())));
        Assert.True((await _node.PostAsync("/v1/namespaces/shop/increments", Body)).Json.GetProperty("duplicate").GetBoolean());
        await _node.PostAsync("/v1/namespaces/shop/increments", "{\"name\":\"buyers\",\"element\":\"ann\"}\n{\"name\":\"buyers\",\"element\":\"cem\"}", "application/x-ndjson");
        Assert.Equal(3, await _node.ValueAsync("shop", "buyers"));

        JsonElement read = (await _node.PostAsync("/v1/namespaces/shop/values", """{"names":["buyers"]}""")).Json.GetProperty("values")[0];
        Assert.Equal(("distinct", true), (read.GetProperty("kind").GetString(), read.GetProperty("exact").GetBoolean()));
    }

    [Fact]
    public async Task The_kind_decides_what_is_added_and_stays()
    {
        await _node.PutAsync("/v1/namespaces/words/counters/readers", """{"kind":"distinct"}""");
        (await _node.PostAsync("/v1/namespaces/words/increments", """{"increments":[{"name":"readers","delta":1}]}"""))
            .IsProblem(400, "increments[0].delta", "without an element", "kind distinct");
        (await _node.PostAsync("/v1/namespaces/words/increments", """{"increments":[{"name":"readers","element":"e","delta":1}]}"""))
            .IsProblem(400, "increments[0].delta", "1", "no delta");
        (await _node.PutAsync("/v1/namespaces/words/counters/readers", """{"kind":"sum"}""")).IsProblem(409, "kind", "sum", "distinct, which the counter is");
    }

    [Fact]
    public async Task The_largest_items_of_a_counter_are_read_with_their_bounds()
    {
        Answer made = await _node.PutAsync("/v1/namespaces/words/counters/pages", """{"kind":"top","k":2}""");
        Assert.Equal((201, "top"), (made.Status, made.Json.GetProperty("kind").GetString()));
        await _node.PostAsync(
            "/v1/namespaces/words/increments",
            """{"increments":[{"name":"pages","element":"/a","delta":5},{"name":"pages","element":"/b"},{"name":"pages","element":"/c","delta":3}]}""");

        JsonElement top = (await _node.GetAsync("/v1/namespaces/words/counters/pages/top")).Json;
        Assert.Equal(["namespace", "name", "exactAsOf", "items"], top.EnumerateObject().Select(m => m.Name));
        Assert.Equal(["item", "value", "lower", "upper", "certain", "exact"], top.GetProperty("items")[0].EnumerateObject().Select(m => m.Name));
        Assert.Equal(
            [("/a", 5L, true), ("/c", 3L, true)],
            top.GetProperty("items").EnumerateArray().Select(i => (i.GetProperty("item").GetString()!, i.GetProperty("value").GetInt64(), i.GetProperty("certain").GetBoolean())));
        Assert.Equal(3, (await _node.GetAsync("/v1/namespaces/words/counters/pages/top?k=9")).Json.GetProperty("items").GetArrayLength());
        Assert.Equal(9, await _node.ValueAsync("words", "pages"));

        await _node.PostAsync("/v1/namespaces/words/increments", """{"increments":[{"name":"plain"}]}""");
        (await _node.GetAsync("/v1/namespaces/words/counters/plain/top")).IsProblem(409, "kind", "sum", "top");
        (await _node.GetAsync("/v1/namespaces/words/counters/nobody/top")).IsProblem(404, "name", "nobody", "incremented");
        (await _node.GetAsync("/v1/namespaces/words/counters/pages/top?k=0")).IsProblem(400, "k", "0", "1 to 1000");
        (await _node.PostAsync("/v1/namespaces/words/increments", """{"increments":[{"name":"pages","element":"/a","delta":-1}]}"""))
            .IsProblem(400, "increments[0].delta", "-1", "0 to 1000000000000");
    }

    [Fact]
    public async Task A_counter_is_set_to_zero_and_deleted()
    {
        await _node.PostAsync("/v1/namespaces/shop/increments", """{"increments":[{"name":"a/b","delta":5}]}""");
        Answer reset = await _node.PostAsync("/v1/namespaces/shop/counters/a%2Fb/reset", "");
        Assert.Equal((200, 0), (reset.Status, reset.Json.GetProperty("value").GetInt64()));
        await _node.PostAsync("/v1/namespaces/shop/increments", """{"increments":[{"name":"a/b","delta":2}]}""");
        Assert.Equal(2, await _node.ValueAsync("shop", "a/b"));

        Assert.Equal(204, (await _node.SendAsync(HttpMethod.Delete, "/v1/namespaces/shop/counters/a%2Fb", (string?)null)).Status);
        Assert.Equal(404, (await _node.GetAsync("/v1/namespaces/shop/counters/a%2Fb")).Status);
        (await _node.SendAsync(HttpMethod.Delete, "/v1/namespaces/shop/counters/a%2Fb", (string?)null)).IsProblem(404, "name", "a/b", "incremented");
        (await _node.PostAsync("/v1/namespaces/shop/counters/a%2Fb/reset", "")).IsProblem(404, "name", "a/b", "incremented");
        Assert.Empty((await _node.GetAsync("/v1/namespaces/shop/counters")).Json.GetProperty("values").EnumerateArray());
        await _node.PostAsync("/v1/namespaces/shop/increments", """{"increments":[{"name":"a/b","delta":7}]}""");
        Assert.Equal(7, await _node.ValueAsync("shop", "a/b"));
        await _node.Node.Engine.CheckpointAsync(default);
        Assert.Equal(7, _node.Store.Total("shop", "a/b"));
    }

    [Fact]
    public async Task History_of_different_elements_has_bounds()
    {
        await _node.PutAsync("/v1/namespaces/shop/counters/buyers", """{"kind":"distinct"}""");
        await _node.PostAsync("/v1/namespaces/shop/increments", """{"increments":[{"name":"buyers","element":"ann"},{"name":"buyers","element":"bob"}]}""");
        await _node.Node.Engine.CheckpointAsync(default);
        string to = Uri.EscapeDataString(DateTimeOffset.UtcNow.AddHours(1).ToString("O"));
        JsonElement history = (await _node.GetAsync($"/v1/namespaces/shop/counters/buyers/history?to={to}&step=1d&confidence=0.999")).Json;
        Assert.Equal(0.999, history.GetProperty("confidence").GetDouble());
        JsonElement point = Assert.Single(history.GetProperty("points").EnumerateArray());
        Assert.Equal(2, point.GetProperty("value").GetInt64());
        Assert.InRange(2, point.GetProperty("lower").GetInt64(), point.GetProperty("upper").GetInt64());

        await _node.PostAsync("/v1/namespaces/shop/increments", """{"increments":[{"name":"sold","delta":3}]}""");
        await _node.Node.Engine.CheckpointAsync(default);
        JsonElement exact = (await _node.GetAsync($"/v1/namespaces/shop/counters/sold/history?to={to}&step=1d")).Json;
        Assert.Equal(["start", "value"], exact.GetProperty("points")[0].EnumerateObject().Select(m => m.Name));
        Assert.False(exact.TryGetProperty("confidence", out _));
        (await _node.GetAsync("/v1/namespaces/shop/counters/buyers/history?confidence=2")).IsProblem(400, "confidence", "2", "above 0.5");
    }

    [Fact]
    public async Task An_approximate_count_has_bounds_around_the_truth()
    {
        await _node.PutAsync("/v1/namespaces/words/counters/readers", """{"kind":"distinct"}""");
        for (int part = 0; part < 2; part++)
        {
            string lines = string.Join('\n', Enumerable.Range(part * 8_000, 8_000).Select(i => $$"""{"name":"readers","element":"r{{i}}"}"""));
            Assert.Equal(200, (await _node.PostAsync("/v1/namespaces/words/increments", lines, "application/x-ndjson")).Status);
        }

        JsonElement value = (await _node.GetAsync("/v1/namespaces/words/counters/readers?confidence=0.9999")).Json;
        Assert.False(value.GetProperty("exact").GetBoolean());
        Assert.InRange(16_000, value.GetProperty("lower").GetInt64(), value.GetProperty("upper").GetInt64());
    }
}
