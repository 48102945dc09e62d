using Microsoft.Extensions.Logging.Abstractions;
using Sketch.Engine.Checkpoints;
using Sketch.Storage.Store;

namespace Sketch.Tests.Storage;

/// <summary>The statements for a cluster: made of those for one server, parsed by the engine, and as they were when somebody last looked at them.</summary>
[Collection(EmbeddedClickHouseGroup.Name)]
public sealed class StoreLayoutTests(EmbeddedClickHouseFixture clickHouse) : IDisposable
{
    private const string Cluster = "golden";
    private readonly Sql _sql = new(clickHouse.Process, writer: true);

    [Fact]
    public async Task They_are_what_was_looked_at()
    {
        string golden = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "tests", "Storage.Tests", "schema-cluster.sql"));
        string now = string.Concat(StoreStatements.All(Cluster).Select(s => s + ";\n\n"));
        Assert.True(golden == now, "the statements for a cluster are others now; look at: sketch schema --cluster golden | diff tests/Storage.Tests/schema-cluster.sql -");
    }

    [Fact]
    public async Task The_engine_parses_each_of_them_as_one_statement_on_the_cluster()
    {
        foreach (string statement in StoreStatements.All(Cluster))
        {
            string formatted = await FormatAsync(statement);
            Assert.Contains($"ON CLUSTER {Cluster}", formatted, StringComparison.Ordinal);
            Assert.DoesNotContain("non_replicated", formatted, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Every_table_is_replicated_on_the_shards_and_has_its_name_over_them()
    {
        string[] single = [.. Created(StoreStatements.All(null))];
        string[] all = [.. Created(StoreStatements.All(Cluster))];
        Assert.NotEmpty(single);
        Assert.Equal(single.SelectMany(t => new[] { t + "_local", t }), all);
        foreach (string statement in StoreStatements.All(Cluster).Where(s => s.StartsWith("CREATE TABLE", StringComparison.Ordinal)))
        {
            string formatted = await FormatAsync(statement);
            string table = Created([statement]).Single();
            Assert.Contains(
                table.EndsWith("_local", StringComparison.Ordinal) ? $"MergeTree('/clickhouse/tables/{{shard}}/sketch/{table[..^6]}', '{{replica}}'" : $"Distributed('{Cluster}', sketch, {table}_local, ",
                formatted, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Without_the_cluster_they_are_those_of_one_server()
    {
        // Names and engines aside, a table of the cluster has the columns, order and lifetime of the server's.
        string[] cluster = [.. StoreStatements.All(Cluster).Where(s => !s.Contains("Distributed(", StringComparison.Ordinal) && !IsColumnOfDistributed(s))];
        IReadOnlyList<string> single = StoreStatements.All(null);
        Assert.Equal(single.Count, cluster.Length);
        foreach ((string one, string many) in single.Zip(cluster))
        {
            string back = many.Replace($" ON CLUSTER '{Cluster}'", "", StringComparison.Ordinal).Replace("_local", "", StringComparison.Ordinal)
                .Replace("replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800", "non_replicated_deduplication_window = 10000", StringComparison.Ordinal)
                .Replace("Replicated", "", StringComparison.Ordinal);
            int path = back.IndexOf("('/clickhouse", StringComparison.Ordinal);
            if (path >= 0)
            {
                int end = back.IndexOf("'{replica}'", StringComparison.Ordinal) + "'{replica}'".Length;
                back = back[..path] + (back[end] == ')' ? back[(end + 1)..] : "(" + back[(end + 2)..]);
            }

            Assert.Equal(one, back);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("a'b")]
    [InlineData("a b")]
    [InlineData("a\n")]
    public void A_name_that_would_not_go_into_a_statement_as_it_is_is_refused(string name) =>
        Assert.Contains("allowed: 1 to 64 letters", Assert.Throws<ArgumentException>(() => StoreStatements.All(name)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_statement_that_is_none_of_the_schemas_is_refused() =>
        Assert.Throws<ArgumentException>(() => StoreLayout.Of(Cluster).StatementsFor("DROP TABLE sketch.deltas"));

    [Fact]
    public async Task Tables_of_one_server_are_not_taken_for_those_of_a_cluster()
    {
        CheckpointStoreException refused = await Assert.ThrowsAsync<CheckpointStoreException>(() => ClickHouseStore.OpenAsync(
            ClickHouseStoreOptions.For(clickHouse.Process) with { Cluster = Cluster }, NullLogger<ClickHouseStore>.Instance, default));
        Assert.Contains("ClickHouse holds tables of a single server", refused.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _sql.Dispose();

    private async Task<string> FormatAsync(string statement) => await _sql.AskAsync(
        "SELECT formatQuerySingleLine({s:String}) FORMAT LineAsString", "param_s=" + Uri.EscapeDataString(statement.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)));

    private static IEnumerable<string> Created(IEnumerable<string> statements) =>
        statements.Where(s => s.StartsWith("CREATE TABLE", StringComparison.Ordinal)).Select(s => s.Split("sketch.")[1].Split(' ', '\n')[0]);

    private static bool IsColumnOfDistributed(string statement) =>
        statement.StartsWith("ALTER TABLE", StringComparison.Ordinal) && !statement.Contains("_local", StringComparison.Ordinal);
}
