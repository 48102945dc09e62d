using System.Text.Json;
using System.Text.RegularExpressions;

namespace Sketch.Tests.Integration.Page;

/// <summary>What the dashboard for Grafana asks, with its macros and variables filled in as the plugin does, is answered by a node.</summary>
[Collection(nameof(PageNode))]
public sealed partial class GrafanaTests(PageNode node)
{
    private static readonly string Folder = Path.Combine(Repository.Root, "docs", "grafana");

    [Fact]
    public async Task Every_query_of_the_dashboard_is_answered_with_rows()
    {
        await node.Count("page:/", 1);
        await OpenPage.Until(
            async () => (await Ask($"SELECT name FROM totals WHERE namespace = '{PageNode.Namespace}' AND name IN ('page:/', 'searches')")).GetArrayLength() == 2
                && (await Ask("SELECT 1 FROM rates LIMIT 1")).GetArrayLength() == 1,
            "the counters are stored");
        using JsonDocument dashboard = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Folder, "dashboards", "sketch.json")));
        string[] variables = [.. dashboard.RootElement.GetProperty("templating").GetProperty("list").EnumerateArray().Select(v => v.GetProperty("query").GetString()!)];
        string[] queries = [.. dashboard.RootElement.GetProperty("panels").EnumerateArray().SelectMany(p => p.GetProperty("targets").EnumerateArray()).Select(t => t.GetProperty("rawSql").GetString()!)];
        Assert.Equal(8, queries.Length);
        foreach (string query in variables.Concat(queries))
        {
            JsonElement rows = await Ask(Expand(query));
            Assert.True(rows.GetArrayLength() > 0, $"no rows: {query}");
        }
    }

    [Fact]
    public async Task The_band_holds_its_value_and_ends_at_this_moment()
    {
        await OpenPage.Until(async () => (await Ask($"SELECT 1 FROM totals WHERE namespace = '{PageNode.Namespace}' AND name = 'page:/'")).GetArrayLength() == 1, "the counter is stored");
        using JsonDocument dashboard = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Folder, "dashboards", "sketch.json")));
        JsonElement panel = dashboard.RootElement.GetProperty("panels").EnumerateArray().Single(p => p.GetProperty("title").GetString()!.Contains("band", StringComparison.Ordinal));
        Assert.Contains("\"custom.fillBelowTo\"", panel.GetRawText(), StringComparison.Ordinal);
        JsonElement rows = await Ask(Expand(panel.GetProperty("targets")[0].GetProperty("rawSql").GetString()!));
        Assert.True(rows.GetArrayLength() >= 2, $"{rows}");
        foreach (JsonElement row in rows.EnumerateArray())
        {
            long value = row.GetProperty("value").GetInt64();
            Assert.InRange(value, row.GetProperty("lower").GetInt64(), row.GetProperty("upper").GetInt64());
            Assert.InRange(value, 0, long.MaxValue);
        }
    }

    [Fact]
    public async Task The_plugins_greeting_is_answered()
    {
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(node.Node.Sql, "/?database=sketch&default_format=Native"))
        {
            Content = new StringContent("SELECT displayName(), version(), revision(), timezone()"),
        };
        request.Headers.Add("X-ClickHouse-User", "default");
        request.Headers.Add("X-ClickHouse-Key", "");
        using HttpResponseMessage answer = await node.Client.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        string source = await File.ReadAllTextAsync(Path.Combine(Folder, "provisioning", "datasources", "sketch.yaml"));
        Assert.Contains("type: grafana-clickhouse-datasource", source, StringComparison.Ordinal);
        Assert.Contains("uid: sketch", source, StringComparison.Ordinal);
    }

    private static string Expand(string query)
    {
        string expanded = TimeFilter().Replace(query, "$1 >= toDateTime(@FROM) AND $1 <= toDateTime(@TO)")
            .Replace("@FROM", $"{DateTimeOffset.UtcNow.AddHours(-24).ToUnixTimeSeconds()}", StringComparison.Ordinal)
            .Replace("@TO", $"{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}", StringComparison.Ordinal)
            .Replace("${namespace:sqlstring}", $"'{PageNode.Namespace}'", StringComparison.Ordinal)
            .Replace("${counter:sqlstring}", "'page:/'", StringComparison.Ordinal);
        Assert.DoesNotContain("$", expanded, StringComparison.Ordinal);
        return expanded;
    }

    private async Task<JsonElement> Ask(string query)
    {
        using StringContent body = new(query);
        using HttpResponseMessage answer = await node.Client.PostAsync(new Uri(node.Node.Sql, "/?database=sketch&default_format=JSON&output_format_json_quote_64bit_integers=0"), body);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{query}\n{text}");
        return JsonDocument.Parse(text).RootElement.GetProperty("data");
    }

    [GeneratedRegex(@"\$__timeFilter\((\w+)\)")]
    private static partial Regex TimeFilter();
}
