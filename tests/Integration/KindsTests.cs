using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Sketch.Tests.Integration;

/// <summary>Counters of every kind through a real node that is killed, to SQL and the command line.</summary>
public sealed class KindsTests
{
    [Fact]
    public async Task Every_kind_survives_a_kill_and_is_the_same_over_rest_sql_and_the_command_line()
    {
        await using NodeProcess node = await NodeProcess.StartNew("--no-demo", "--window", "1");
        using HttpClient http = new() { BaseAddress = new Uri(node.Http, "/v1/namespaces/"), Timeout = Command.Deadline };
        await Put(http, "shop", "{}");
        await Put(http, "shop/counters/visitors", """{"kind":"distinct"}""");
        await Put(http, "shop/counters/buyers", """{"kind":"distinct","tier":"strong"}""");
        await Put(http, "shop/counters/pages", """{"kind":"top","k":3}""");
        for (int batch = 1; batch <= 20; batch++)
        {
            StringBuilder lines = new();
            for (int i = 0; i < 300; i++)
            {
                int visitor = (batch * 200) + i;
                lines.Append(CultureInfo.InvariantCulture, $"{{\"name\":\"visitors\",\"element\":\"v{visitor}\"}}\n{{\"name\":\"buyers\",\"element\":\"b{visitor % 700}\"}}\n");
                lines.Append(CultureInfo.InvariantCulture, $"{{\"name\":\"pages\",\"element\":\"/{i % (1 + (i % 50))}\",\"delta\":2}}\n{{\"name\":\"hits\"}}\n");
            }

            string path = $"shop/increments?producer=p&sequence={batch}";
            await Post(http, path, lines.ToString());
            if (batch == 10)
            {
                await node.Kill();
                await node.Start("--no-demo", "--window", "1");
            }

            await Post(http, path, lines.ToString());
        }

        Dictionary<string, JsonElement> values = await Until(http, "hits", 6_000);
        Assert.Equal((700, true), (values["buyers"].GetProperty("value").GetInt64(), values["buyers"].GetProperty("exact").GetBoolean()));
        Assert.InRange(4_100, values["visitors"].GetProperty("lower").GetInt64(), values["visitors"].GetProperty("upper").GetInt64());
        Assert.Equal(12_000, values["pages"].GetProperty("value").GetInt64());
        JsonElement items = JsonDocument.Parse(await Command.Sketch("top", "shop/pages", "-k", "3", "--url", $"{node.Http}", "--json")).RootElement.GetProperty("items");
        Assert.All(items.EnumerateArray(), i => Assert.True(i.GetProperty("exact").GetBoolean() && i.GetProperty("certain").GetBoolean()));

        string expected = string.Join('\n', items.EnumerateArray().Select(i => $"{i.GetProperty("item").GetString()}\t{i.GetProperty("value").GetInt64()}"));
        Assert.Equal(expected, await Sql(node, "SELECT item, value FROM items WHERE namespace = 'shop' AND name = 'pages' ORDER BY value DESC, item LIMIT 3"));
        Assert.Equal("12000", await Sql(node, "SELECT sum(value) FROM items WHERE namespace = 'shop'"));
        Assert.Equal(
            $"buyers\t700\t1\nvisitors\t{values["visitors"].GetProperty("value").GetInt64()}\t0",
            await Sql(node, "SELECT name, value, exact FROM distincts WHERE namespace = 'shop' ORDER BY name"));

        using (HttpResponseMessage deleted = await http.DeleteAsync(new Uri("shop/counters/hits", UriKind.Relative)))
        {
            deleted.EnsureSuccessStatusCode();
        }

        await Post(http, "shop/increments", "{\"name\":\"hits\",\"delta\":5}");
        await Until(http, "hits", 5);
        Assert.Equal("5", await Sql(node, "SELECT value FROM totals WHERE namespace = 'shop' AND name = 'hits'"));
    }

    /// <summary>Waits until everything is exact but what never is, and a counter has a value.</summary>
    private static async Task<Dictionary<string, JsonElement>> Until(HttpClient http, string name, long value)
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (true)
        {
            JsonElement page = await http.GetFromJsonAsync<JsonElement>("shop/counters?confidence=0.999999");
            Dictionary<string, JsonElement> values = page.GetProperty("values").EnumerateArray().ToDictionary(v => v.GetProperty("name").GetString()!);
            if (values.TryGetValue(name, out JsonElement found) && found.GetProperty("value").GetInt64() == value && found.GetProperty("exact").GetBoolean()
                && values["pages"].GetProperty("exact").GetBoolean())
            {
                return values;
            }

            Assert.True(waited.Elapsed < TimeSpan.FromMinutes(1), $"{page}");
            await Task.Delay(50);
        }
    }

    private static async Task Put(HttpClient http, string path, string body)
    {
        using HttpResponseMessage response = await http.PutAsync(new Uri(path, UriKind.Relative), new StringContent(body, Encoding.UTF8, "application/json"));
        response.EnsureSuccessStatusCode();
    }

    private static async Task Post(HttpClient http, string path, string lines)
    {
        using StringContent content = new(lines, Encoding.UTF8, "application/x-ndjson");
        using HttpResponseMessage response = await http.PostAsync(new Uri(path, UriKind.Relative), content);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    private static async Task<string> Sql(NodeProcess node, string statement)
    {
        using HttpClient http = new();
        using HttpResponseMessage response = await http.PostAsync(node.Sql, new StringContent(statement));
        return (await response.Content.ReadAsStringAsync()).TrimEnd('\n');
    }
}
