using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Sketch.Server.Hosting;
using Sketch.Storage.Embedded;
using Sketch.Storage.Store;
using Sketch.Storage.Supervision;

namespace Sketch.Tests.Integration;

/// <summary>Backup, more load, disaster, restore, replay, verify; and what verification finds.</summary>
public sealed class RestoreDrillTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sketch-drill-").FullName;

    private string Backups => Path.Combine(_folder, "backups");

    [Fact]
    public async Task A_node_that_lost_ClickHouse_is_exact_again_after_a_restore_and_a_replay()
    {
        string data = "";
        await using NodeProcess node = await NodeProcess.StartNewIn(
            folder =>
            {
                data = folder;
                return Task.CompletedTask;
            }, "--no-demo", "--window", "1");
        using HttpClient http = new() { BaseAddress = node.Http, Timeout = Command.Deadline };
        using (HttpResponseMessage made = await http.PutAsync(new Uri("/v1/namespaces/bank", UriKind.Relative), Json("""{"tier":"strong"}""")))
        {
            made.EnsureSuccessStatusCode();
        }

        await Count(http, 1, 5);
        await Exact(node, 500);
        JsonElement full = await Sketch("backup", Backups, "--url", $"{node.Http}", "--json");
        Assert.True(full.GetProperty("full").GetBoolean());
        await Count(http, 6, 8);
        JsonElement second = await Sketch("backup", Backups, "--url", $"{node.Http}", "--json");
        Assert.Equal((false, full.GetProperty("name").GetString()), (second.GetProperty("full").GetBoolean(), second.GetProperty("base").GetString()));
        await Count(http, 9, 12);

        // The disaster; what was acknowledged is in the log, and what the backup holds is not in danger.
        await node.Kill();
        Directory.Delete(Path.Combine(data, "clickhouse"), recursive: true);
        JsonElement refused = await Refused("restore", Backups, "--data", data, "--json");
        Assert.Contains("holds engine", refused.GetString(), StringComparison.Ordinal);
        JsonElement restored = await Sketch("restore", Backups, "--data", data, "--overwrite", "--json");
        Assert.True(restored.GetProperty("keepsLog").GetBoolean());
        await node.Start();
        Assert.Equal("1200", await Ask(node, "SELECT sum(value) FROM live_values WHERE namespace = 'bank'"));
        await Count(http, 8, 14); // 8 to 12 are counted already
        await Exact(node, 1_400);
        await Sketch("verify", "--url", $"{node.Http}", "--json");

        // On another machine there is no log: the backup's copy goes as far as the backup.
        string elsewhere = Path.Combine(_folder, "elsewhere");
        JsonElement moved = await Sketch("restore", Backups, "--data", elsewhere, "--json");
        Assert.False(moved.GetProperty("keepsLog").GetBoolean());
        Assert.True(moved.GetProperty("logEnd").GetInt64() >= moved.GetProperty("position").GetInt64());
        Assert.Equal(second.GetProperty("logEnd").GetInt64(), moved.GetProperty("logEnd").GetInt64());
        await node.Stop();
        await using Node other = await StartAsync(elsewhere, null);
        using HttpClient there = new() { BaseAddress = other.Http };
        Assert.Equal(800, (await there.GetStringAsync(new Uri("/v1/namespaces/bank/top?k=1000", UriKind.Relative))).Split("\"value\":").Skip(1)
            .Sum(v => int.Parse(v.Split(',')[0], CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task Verification_finds_a_changed_row_a_missing_window_and_a_flipped_bit()
    {
        string data = Path.Combine(_folder, "data");
        ClickHouseProcess? process = null;
        await using Node node = await StartAsync(data, p => process = p);
        using HttpClient http = new() { BaseAddress = node.Http, Timeout = Command.Deadline };
        using (HttpResponseMessage made = await http.PutAsync(new Uri("/v1/namespaces/bank", UriKind.Relative), Json("""{"tier":"strong"}""")))
        {
            made.EnsureSuccessStatusCode();
        }

        for (int i = 1; i <= 3; i++)
        {
            await Count(http, i, i);
            await node.Engine.CheckpointAsync(default);
        }

        JsonElement same = await Verify(http);
        Assert.True(same.GetProperty("same").GetBoolean(), same.ToString());
        Assert.Equal((100, 300), (same.GetProperty("counters").GetInt32(), same.GetProperty("rows").GetInt32()));
        Assert.Equal(same.GetProperty("logDigest").GetString(), same.GetProperty("deltasDigest").GetString());
        Assert.Equal(same.GetProperty("memoryDigest").GetString(), same.GetProperty("totalsDigest").GetString());

        await Plant(process!, "INSERT INTO sketch.total_rows (namespace, id, value) SELECT namespace, id, 1 FROM sketch.total_rows LIMIT 1");
        Assert.Equal(["totals"], await Found(http));
        await Plant(process!, "INSERT INTO sketch.hourly_rows SELECT namespace, id, hour, 1, days FROM sketch.hourly_rows LIMIT 1");
        Assert.Equal(["day", "hour", "totals"], await Found(http));
        await Plant(process!, "ALTER TABLE sketch.deltas UPDATE delta = delta + 1 WHERE id = (SELECT min(id) FROM sketch.deltas) SETTINGS mutations_sync = 1");
        Assert.Contains("deltas", await Found(http));
        await Plant(process!, "ALTER TABLE sketch.checkpoints DELETE WHERE to_position = (SELECT max(to_position) FROM sketch.checkpoints) SETTINGS mutations_sync = 1");
        Assert.Contains("window", await Found(http));

        string segment = Directory.GetFiles(Path.Combine(data, "log"), "*.seg").Order(StringComparer.Ordinal).First();
        using (FileStream log = new(segment, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            log.Position = 700; // within the first batch
            int flipped = log.ReadByte() ^ 4;
            log.Position = 700;
            log.WriteByte((byte)flipped);
        }

        Assert.Contains("log", await Found(http));
        string metrics = await http.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        Assert.DoesNotContain("sketch_verify_differences_total 0\n", metrics, StringComparison.Ordinal);
        Assert.Contains("sketch_verify_compared_total", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verification_finds_a_planted_member_register_and_item()
    {
        ClickHouseProcess? process = null;
        await using Node node = await StartAsync(Path.Combine(_folder, "kinds"), p => process = p);
        using HttpClient http = new() { BaseAddress = node.Http, Timeout = Command.Deadline };
        await Put(http, "/v1/namespaces/shop", "{}");
        await Put(http, "/v1/namespaces/shop/counters/exact", """{"kind":"distinct","tier":"strong"}""");
        await Put(http, "/v1/namespaces/shop/counters/about", """{"kind":"distinct"}""");
        await Put(http, "/v1/namespaces/shop/counters/pages", """{"kind":"top","tier":"strong"}""");
        await Put(http, "/v1/namespaces/shop/counters/many", """{"kind":"top"}""");

        // Some is stored, some of it again, some is live: all of it is compared and the same, also after elements are counted once more.
        await Elements(http, 0, 500);
        await node.Engine.CheckpointAsync(default);
        Assert.Equal((2, 1_000), await Same(http));
        await Elements(http, 400, 900);
        Assert.Equal((2, 1_000), await Same(http));
        await node.Engine.CheckpointAsync(default);
        Assert.Equal((2, 1_800), await Same(http));
        await Elements(http, 0, 20);
        Assert.Equal((2, 1_800), await Same(http));

        // So many that the sketches are dense.
        await Elements(http, 900, 3_300);
        Assert.Equal((2, 1_800), await Same(http));
        await node.Engine.CheckpointAsync(default);
        Assert.Equal((2, 6_600), await Same(http));

        await Plant(process!, "INSERT INTO sketch.member_rows SELECT namespace, id, generation, member + 1 FROM sketch.member_rows LIMIT 1");
        Assert.Equal(["members"], await Found(http));
        await Plant(process!, "INSERT INTO sketch.distinct_rows (namespace, id, generation, registers) SELECT namespace, id, generation, ([toUInt32(7)], [toUInt8(50)]) FROM sketch.distinct_rows LIMIT 1");
        Assert.Equal(["members", "registers"], await Found(http));
        await Plant(process!, "INSERT INTO sketch.item_rows (namespace, id, generation, item, value) SELECT namespace, id, generation, item, 1 FROM sketch.item_rows LIMIT 1");
        Assert.Equal(["items", "members", "registers"], await Found(http));
        await Plant(process!, "ALTER TABLE sketch.distinct_rows DELETE WHERE id = (SELECT any(id) FROM sketch.counter_rows WHERE name = 'about') SETTINGS mutations_sync = 1");
        await Plant(process!, "ALTER TABLE sketch.item_rows DELETE WHERE id = (SELECT any(id) FROM sketch.counter_rows WHERE name = 'pages') SETTINGS mutations_sync = 1");
        Assert.Equal(["distinct", "items", "members", "registers"], await Found(http));
    }

    /// <summary>What is planted before a node starts is what it takes into memory: only the log knows better.</summary>
    [Theory]
    [InlineData(
        "INSERT INTO sketch.distinct_rows (namespace, id, generation, registers) SELECT namespace, id, generation, ([toUInt32(7)], [toUInt8(50)]) FROM sketch.distinct_rows LIMIT 1",
        "INSERT INTO sketch.member_rows SELECT namespace, id, generation, member + 1 FROM sketch.member_rows LIMIT 1",
        "INSERT INTO sketch.item_rows (namespace, id, generation, item, value) SELECT namespace, id, generation, item, 1 FROM sketch.item_rows LIMIT 1",
        "INSERT INTO sketch.seen_rows SELECT namespace, id, generation, hour, ([toUInt32(7)], [toUInt8(50)]), counts, days FROM sketch.seen_rows LIMIT 1")]
    [InlineData(
        "ALTER TABLE sketch.distinct_rows DELETE WHERE id = (SELECT any(id) FROM sketch.counter_rows WHERE name = 'about') SETTINGS mutations_sync = 1",
        "ALTER TABLE sketch.member_rows DELETE WHERE member = (SELECT min(member) FROM sketch.member_rows) SETTINGS mutations_sync = 1",
        "ALTER TABLE sketch.item_rows DELETE WHERE item = 'e7' SETTINGS mutations_sync = 1",
        "ALTER TABLE sketch.seen_rows DELETE WHERE id = (SELECT min(id) FROM sketch.seen_rows) SETTINGS mutations_sync = 1")]
    public async Task Verification_finds_in_the_log_what_memory_took_from_ClickHouse(params string[] plants)
    {
        string data = Path.Combine(_folder, "planted");
        ClickHouseProcess? process = null;
        await using (Node node = await StartAsync(data, p => process = p))
        {
            using HttpClient http = new() { BaseAddress = node.Http, Timeout = Command.Deadline };
            await Put(http, "/v1/namespaces/shop", "{}");
            await Put(http, "/v1/namespaces/shop/counters/exact", """{"kind":"distinct","tier":"strong"}""");
            await Put(http, "/v1/namespaces/shop/counters/about", """{"kind":"distinct"}""");
            await Put(http, "/v1/namespaces/shop/counters/pages", """{"kind":"top","tier":"strong"}""");
            await Put(http, "/v1/namespaces/shop/counters/many", """{"kind":"top"}""");
            await Elements(http, 0, 500);
            await node.Engine.CheckpointAsync(default);
            await Elements(http, 400, 600);
            await node.Engine.CheckpointAsync(default);
            JsonElement same = await Verify(http);
            Assert.True(same.GetProperty("same").GetBoolean(), same.ToString());
            Assert.True(same.GetProperty("logElements").GetInt64() > 1_800, same.ToString());
            foreach (string plant in plants)
            {
                await Plant(process!, plant);
            }
        }

        await using Node again = await StartAsync(data, p => process = p);
        using HttpClient after = new() { BaseAddress = again.Http, Timeout = Command.Deadline };
        Assert.Subset((await Found(after)).ToHashSet(), new HashSet<string> { "items", "members", "registers", "seen" });
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static StringContent Json(string json) => new(json, Encoding.UTF8, "application/json");

    /// <summary>Batches of a producer, each one increment to each of a hundred counters.</summary>
    private static async Task Count(HttpClient http, int first, int last)
    {
        for (int sequence = first; sequence <= last; sequence++)
        {
            string lines = string.Concat(Enumerable.Range(0, 100).Select(i => $"{{\"name\":\"account {i}\"}}\n"));
            using StringContent content = new(lines, Encoding.UTF8, "application/x-ndjson");
            using HttpResponseMessage answer = await http.PostAsync(new Uri($"/v1/namespaces/bank/increments?producer=drill&sequence={sequence}", UriKind.Relative), content);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        }
    }

    private static async Task Put(HttpClient http, string path, string json)
    {
        using HttpResponseMessage answer = await http.PutAsync(new Uri(path, UriKind.Relative), Json(json));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Elements of four counters.</summary>
    private static async Task Elements(HttpClient http, int first, int last)
    {
        string lines = string.Concat(Enumerable.Range(first, last - first).SelectMany(i => new[] { "exact", "about", "pages", "many" }.Select(n => $"{{\"name\":\"{n}\",\"element\":\"e{i}\"}}\n")));
        using StringContent content = new(lines, Encoding.UTF8, "application/x-ndjson");
        using HttpResponseMessage answer = await http.PostAsync(new Uri("/v1/namespaces/shop/increments", UriKind.Relative), content);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task<(int Distincts, int Items)> Same(HttpClient http)
    {
        JsonElement answer = await Verify(http);
        Assert.True(answer.GetProperty("same").GetBoolean(), answer.ToString());
        return (answer.GetProperty("distincts").GetInt32(), answer.GetProperty("items").GetInt32());
    }

    private static async Task Exact(NodeProcess node, long total)
    {
        using CancellationTokenSource deadline = new(TimeSpan.FromSeconds(60));
        while (await Ask(node, "SELECT sum(value) FROM totals WHERE namespace = 'bank'") != total.ToString(CultureInfo.InvariantCulture))
        {
            await Task.Delay(50, deadline.Token);
        }
    }

    private static async Task<string> Ask(NodeProcess node, string sql)
    {
        using HttpClient http = new();
        using StringContent content = new(sql);
        using HttpResponseMessage answer = await http.PostAsync(new Uri(node.Sql, "/?default_format=TabSeparated"), content);
        return (await answer.Content.ReadAsStringAsync()).TrimEnd('\n');
    }

    private static async Task<JsonElement> Sketch(params string[] arguments) => JsonDocument.Parse(await Command.Sketch(arguments)).RootElement;

    /// <summary>What a command says that ends with 2, as a JSON string.</summary>
    private static async Task<JsonElement> Refused(params string[] arguments)
    {
        string? output = await Command.TryBash(
            $"set +e; '{Repository.SketchExecutable}' {string.Join(' ', arguments.Select(a => $"'{a}'"))} 2>&1; [ $? -eq 2 ]");
        Assert.NotNull(output);
        return JsonSerializer.SerializeToElement(output);
    }

    private static async Task<JsonElement> Verify(HttpClient http)
    {
        using HttpResponseMessage answer = await http.PostAsync(new Uri("/v1/verify", UriKind.Relative), Json("{}"));
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }

    private static async Task<string[]> Found(HttpClient http)
    {
        JsonElement answer = await Verify(http);
        Assert.False(answer.GetProperty("same").GetBoolean());
        return [.. answer.GetProperty("differences").EnumerateArray().Select(d => d.GetProperty("what").GetString()!).Distinct().Order(StringComparer.Ordinal)];
    }

    private static async Task Plant(ClickHouseProcess process, string sql)
    {
        using HttpClient http = new();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{ClickHouseProcess.User}:{process.Password}")));
        using StringContent content = new(sql);
        using HttpResponseMessage answer = await http.PostAsync(process.Address, content);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>A node in this process, whose ClickHouse the test can reach as its writer.</summary>
    private static Task<Node> StartAsync(string data, Action<ClickHouseProcess>? started) => Node.StartAsync(
        new ServeOptions { Data = data, HttpPort = 0, SqlPort = 0, WindowSeconds = 3_600 },
        NodeParts.Real with
        {
            OpenStore = async (options, loggers, time, cancellationToken) =>
            {
                ClickHouseProcess process = await ClickHouseProcess.StartAsync(
                    new ClickHouseProcessOptions
                    {
                        Command = [Repository.SketchExecutable, NodeParts.ClickHouseCommand],
                        ClickHouse = new EmbeddedClickHouseOptions { DataFolder = Path.Combine(options.Data, "clickhouse") },
                    }, NullLogger<ClickHouseProcess>.Instance, time, cancellationToken);
                started?.Invoke(process);
                ClickHouseStore store = await ClickHouseStore.OpenAsync(
                    ClickHouseStoreOptions.For(process), loggers.CreateLogger<ClickHouseStore>(), cancellationToken);
                return new OpenStore(store, null, [process]);
            },
        },
        new ConfigurationBuilder().Build(), null, default);
}
