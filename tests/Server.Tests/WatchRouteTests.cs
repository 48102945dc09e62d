using System.Globalization;
using System.Text.Json;

namespace Sketch.Tests.Server;

/// <summary>Live values as server-sent events.</summary>
public sealed class WatchRouteTests
{
    [Fact]
    public async Task The_stream_begins_with_all_values_goes_on_with_changes_and_resumes()
    {
        await using NodeHost host = await NodeHost.StartAsync();
        await host.PutAsync("/v1/namespaces/words", """{"tier":"eventual"}""");
        await host.PutAsync("/v1/namespaces/words/counters/a%2Cb", """{"labels":{"lang":"e,n","team":"core"}}""");
        await CountAsync(host, "é", 7);
        string lastId;
        await using (EventStream events = await EventStream.OpenAsync(host, "names=a%2Cb&names=%C3%A9&intervalMs=50&confidence=0.9"))
        {
            JsonElement first = (await events.NextAsync()).Frame;
            Assert.Equal((1, true), (first.GetProperty("number").GetInt32(), first.GetProperty("snapshot").GetBoolean()));
            Assert.Equal(["a,b", "é"], first.GetProperty("values").EnumerateArray().Select(v => v.GetProperty("name").GetString()));
            await CountAsync(host, "a,b", 3);
            (string id, JsonElement frame) = await events.NextAsync(f => f.GetProperty("values").GetArrayLength() > 0);
            JsonElement value = frame.GetProperty("values")[0];
            Assert.Equal(("a,b", 3, 3, 3), (value.GetProperty("name").GetString(), value.GetProperty("value").GetInt32(), value.GetProperty("lower").GetInt32(), value.GetProperty("upper").GetInt32()));
            Assert.Equal("core", value.GetProperty("labels").GetProperty("team").GetString());
            Assert.False(frame.TryGetProperty("snapshot", out _));
            Assert.StartsWith($"{frame.GetProperty("number").GetInt32()}@", id, StringComparison.Ordinal);
            lastId = id;
        }

        await using EventStream again = await EventStream.OpenAsync(host, @"labels=lang%3De%5C%2Cn,team&intervalMs=50", lastId);
        JsonElement resumed = (await again.NextAsync()).Frame;
        Assert.Equal(int.Parse(lastId.Split('@')[0], CultureInfo.InvariantCulture) + 1, resumed.GetProperty("number").GetInt32());
        Assert.True(resumed.GetProperty("snapshot").GetBoolean());
        Assert.Equal("a,b", Assert.Single(resumed.GetProperty("values").EnumerateArray()).GetProperty("name").GetString());

        // Two streams that nobody ends: the node stops all the same.
        await using EventStream top = await EventStream.OpenAsync(host, "top=1");
        Assert.Equal("é", (await top.NextAsync()).Frame.GetProperty("values")[0].GetProperty("name").GetString());
        await host.Node.DisposeAsync();
    }

    [Theory]
    [InlineData("", 400, "selection", "0 of names", "exactly one")]
    [InlineData("top=1&prefix=a", 400, "selection", "2 of names", "exactly one")]
    [InlineData("top=0", 400, "top", "0", "1 to 1000")]
    [InlineData("top=1&intervalMs=10", 400, "intervalMs", "10", "50 to 60000")]
    [InlineData("top=1&intervalMs=ten", 400, "intervalMs", "ten", "60000")]
    [InlineData("top=1&confidence=1", 400, "confidence", "1", "above 0.5")]
    [InlineData("top=1&top=2", 400, "top", "more than once", "one value")]
    [InlineData("top=1&wrong=2", 400, "wrong", "not a query parameter", "labels")]
    [InlineData("names=", 400, "names[0]", "0 bytes", "1 to 256")]
    [InlineData("labels=", 400, "labels", "empty", "name=value")]
    [InlineData("labels=a,a", 400, "labels", "a,a", "each name once")]
    [InlineData("labels=a%3Db%3Dc", 400, "labels", "a=b=c", "name=value")]
    [InlineData("labels=a%5C", 400, "labels", @"a\", "name=value")]
    public async Task What_is_not_allowed_is_a_problem_before_the_stream_begins(string query, int status, string field, string value, string allowed)
    {
        await using NodeHost host = await NodeHost.StartAsync();
        await host.PutAsync("/v1/namespaces/words", "{}");
        (await host.GetAsync("/v1/namespaces/words/watch?" + query)).IsProblem(status, field, value, allowed);
        (await host.GetAsync("/v1/namespaces/nowhere/watch?top=1")).IsProblem(404, "namespace", "nowhere", "existing namespace");
    }

    private static async Task CountAsync(NodeHost host, string name, int delta) => Assert.Equal(
        200, (await host.PostAsync("/v1/namespaces/words/increments", $$"""{"increments":[{"name":"{{name}}","delta":{{delta}}}]}""")).Status);

    private sealed class EventStream(HttpResponseMessage response, StreamReader lines) : IAsyncDisposable
    {
        public static async Task<EventStream> OpenAsync(NodeHost host, string query, string? lastId = null)
        {
            using HttpRequestMessage request = new(HttpMethod.Get, "/v1/namespaces/words/watch?" + query);
            if (lastId is not null)
            {
                request.Headers.Add("Last-Event-ID", lastId);
            }

            HttpResponseMessage response = await host.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
            StreamReader lines = new(await response.Content.ReadAsStreamAsync());
            Assert.Equal("retry: 1000", await lines.ReadLineAsync());
            Assert.Equal("", await lines.ReadLineAsync());
            return new EventStream(response, lines);
        }

        public async Task<(string Id, JsonElement Frame)> NextAsync(Func<JsonElement, bool>? wanted = null)
        {
            using CancellationTokenSource deadline = new(NodeHost.Deadline);
            while (true)
            {
                string id = (await lines.ReadLineAsync(deadline.Token))!;
                string data = (await lines.ReadLineAsync(deadline.Token))!;
                Assert.StartsWith("id: ", id, StringComparison.Ordinal);
                Assert.StartsWith("data: ", data, StringComparison.Ordinal);
                Assert.Equal("", await lines.ReadLineAsync(deadline.Token));
                JsonElement frame = JsonElement.Parse(data["data: ".Length..]);
                if (wanted?.Invoke(frame) ?? true)
                {
                    return (id["id: ".Length..], frame);
                }
            }
        }

        public ValueTask DisposeAsync()
        {
            lines.Dispose();
            response.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
