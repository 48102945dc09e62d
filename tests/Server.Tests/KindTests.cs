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
