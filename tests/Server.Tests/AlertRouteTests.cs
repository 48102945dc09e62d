using System.Text.Json;

namespace Sketch.Tests.Server;

public sealed class AlertRouteTests
{
    private const string Alerts = "/v1/namespaces/words/alerts";

    public static TheoryData<string, string, string, string> Refused => new()
    {
        { "{}", "counter", "missing", "the name of a counter" },
        { """{"counter":"","above":1}""", "counter", "empty", "1 to 256 bytes" },
        { """{"counter":"a"}""", "above", "missing", "exactly one of above and below" },
        { """{"counter":"a","above":1,"below":0}""", "below", "given beside above", "exactly one" },
        { """{"counter":"a","above":"1"}""", "above", "\"1\"", "a number" },
        { """{"counter":"a","above":1,"of":"speed"}""", "of", "speed", "value or rate" },
        { """{"counter":"a","above":1,"when":"perhaps"}""", "when", "perhaps", "surely or maybe" },
        { """{"counter":"a","above":1,"confidence":0.5}""", "confidence", "0.5", "above 0.5 and below 1" },
        { """{"counter":"a","above":1,"overSeconds":5}""", "overSeconds", "5", "only a rate" },
        { """{"counter":"a","above":1,"of":"rate","overSeconds":301}""", "overSeconds", "301", "1 to 300" },
        { """{"counter":"a","above":1,"forSeconds":-1}""", "forSeconds", "-1", "0 to 3600" },
        { """{"counter":"a","above":1,"limit":2}""", "limit", "not a member", "counter, of, above" },
        { """{"counter":"a","above":1,"webhook":"http://127.0.0.1/"}""", "webhook", "http", "a JSON object with url, secret" },
        { """{"counter":"a","above":1,"webhook":{"secret":"0123456789abcdef"}}""", "webhook.url", "missing", "--webhook-hosts" },
        { """{"counter":"a","above":1,"webhook":{"url":"http://127.0.0.1/"}}""", "webhook.secret", "missing", "16 to 128 characters" },
        { """{"counter":"a","above":1,"webhook":{"url":"http://127.0.0.1/","secret":"short"}}""", "webhook.secret", "5 characters", "16 to 128 characters" },
        { """{"counter":"a","above":1,"webhook":{"url":"http://169.254.169.254/","secret":"0123456789abcdef"}}""", "webhook.url", "169.254", "--webhook-hosts" },
    };

    [Fact]
    public async Task A_rule_is_made_changed_listed_and_deleted_and_survives_a_restart()
    {
        NodeHost host = await NodeHost.StartAsync(options => options with { WebhookHosts = ["hooks.example.org"] });
        try
        {
            await host.PutAsync("/v1/namespaces/words", """{"tier":"eventual"}""");
            const string rule = """{"counter":"a","of":"rate","below":2.5,"when":"maybe","overSeconds":7,"webhook":{"url":"https://hooks.example.org/x","secret":"0123456789abcdef"}}""";
            Answer made = await host.PutAsync($"{Alerts}/slow", rule);
            Assert.Equal(201, made.Status);
            JsonElement alert = made.Json;
            Assert.Equal(("slow", "rate", 2.5, 7), (alert.GetProperty("id").GetString(), alert.GetProperty("of").GetString(), alert.GetProperty("below").GetDouble(), alert.GetProperty("overSeconds").GetInt32()));
            Assert.Equal("https://hooks.example.org/x", alert.GetProperty("webhook").GetProperty("url").GetString());
            Assert.False(alert.TryGetProperty("above", out _));
            Assert.DoesNotContain("0123456789abcdef", made.Text, StringComparison.Ordinal);
            Assert.Equal(200, (await host.PutAsync($"{Alerts}/slow", rule)).Status);
            Assert.Equal(201, (await host.PutAsync($"{Alerts}/busy", """{"counter":"a","above":10}""")).Status);

            string file = Path.Combine(host.Folder, "alerts.json");
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            await host.Node.DisposeAsync();
            host = await NodeHost.StartAsync(folder: host.Folder, store: host.Store);
            Assert.Equal(["busy", "slow"], await IdsAsync(host));

            await host.PostAsync("/v1/namespaces/words/increments", """{"increments":[{"name":"a","delta":20}]}""");
            await host.EventuallyAsync(async () => (await host.GetAsync($"{Alerts}/busy")).Json.GetProperty("state").GetString() == "firing");
            Assert.Equal(20, (await host.GetAsync($"{Alerts}/busy")).Json.GetProperty("value").GetInt32());

            Assert.Equal(204, (await host.SendAsync(HttpMethod.Delete, $"{Alerts}/busy", (string?)null)).Status);
            (await host.SendAsync(HttpMethod.Delete, $"{Alerts}/busy", (string?)null)).IsProblem(404, "id", "busy", "made with PUT");
            (await host.GetAsync($"{Alerts}/busy")).IsProblem(404, "id", "busy", "made with PUT");
            await host.Node.DisposeAsync();
            host = await NodeHost.StartAsync(folder: host.Folder, store: host.Store);
            Assert.Equal(["slow"], await IdsAsync(host));
        }
        finally
        {
            await host.DisposeAsync();
        }
    }

    [Theory, MemberData(nameof(Refused))]
    public async Task A_rule_that_is_not_allowed_changes_nothing(string body, string field, string value, string allowed)
    {
        await using NodeHost host = await NodeHost.StartAsync();
        await host.PutAsync("/v1/namespaces/words", "{}");
        (await host.PutAsync($"{Alerts}/r", body)).IsProblem(400, field, value, allowed);
        (await host.PutAsync($"{Alerts}/UP", """{"counter":"a","above":1}""")).IsProblem(400, "id", "UP", "a-z");
        (await host.PutAsync("/v1/namespaces/nowhere/alerts/r", """{"counter":"a","above":1}""")).IsProblem(404, "namespace", "nowhere", "PUT");
        Assert.Empty(await IdsAsync(host));
        Assert.False(File.Exists(Path.Combine(host.Folder, "alerts.json")));
    }

    private static async Task<string?[]> IdsAsync(NodeHost host) =>
        [.. (await host.GetAsync(Alerts)).Json.GetProperty("alerts").EnumerateArray().Select(alert => alert.GetProperty("id").GetString())];
}
