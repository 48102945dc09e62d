using System.Text.RegularExpressions;

namespace Sketch.Storage.Store;

/// <summary>
/// Where tables lie: on one server as the statements of <see cref="StoreSchema"/> have them, or on a cluster. There each table is a replicated one with "_local" behind
/// its name on every shard, and the name itself is Distributed over them. Rows of a counter are on one shard, by its id, so that what joins by id joins there.
/// </summary>
internal sealed partial class StoreLayout
{
    private const string Create = "CREATE TABLE IF NOT EXISTS sketch.";
    private const string Alter = "ALTER TABLE sketch.";
    private const string View = "CREATE OR REPLACE VIEW sketch.";
    private const string Database = "CREATE DATABASE IF NOT EXISTS sketch";
    private const string Function = "CREATE FUNCTION IF NOT EXISTS ";

    // A replicated table forgets tokens after an hour unless told otherwise; a window may be tried again after a week without ClickHouse.
    private const string Window = "replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800";

    private readonly string? _cluster;

    private StoreLayout(string? cluster)
    {
        _cluster = cluster;
        Settings = cluster is null ? new Dictionary<string, object>() : new Dictionary<string, object>
        {
            ["distributed_foreground_insert"] = 1,
            ["insert_quorum"] = "auto",
            ["insert_quorum_parallel"] = 0,
            ["select_sequential_consistency"] = 1,
            ["distributed_product_mode"] = "local",
        };
    }

    /// <summary>One server.</summary>
    public static StoreLayout Server { get; } = new(null);

    /// <summary>The layout on a cluster, or on one server when there is none.</summary>
    /// <exception cref="ArgumentException">The name is none that goes into a statement as it is.</exception>
    public static StoreLayout Of(string? cluster) => cluster is null ? Server
        : Name().IsMatch(cluster) ? new(cluster)
        : throw new ArgumentException($"cluster is '{cluster}'; allowed: 1 to 64 letters, digits, '-', '_' and '.'");

    /// <summary>True on a cluster.</summary>
    public bool IsCluster => _cluster is not null;

    /// <summary>
    /// Settings of every statement. An insert is acknowledged by all shards, and by most replicas of each, one after the other; reads see what was acknowledged,
    /// from whichever replica; subqueries of joins stay on their shard.
    /// </summary>
    public IReadOnlyDictionary<string, object> Settings { get; }

    /// <summary>The parts of tables, on all replicas.</summary>
    public string Parts => _cluster is null ? "system.parts" : $"clusterAllReplicas('{_cluster}', system.parts)";

    /// <summary>The name under which a table's parts are listed.</summary>
    public string PartsOf(string table) => _cluster is null ? table : table + "_local";

    /// <summary>What a statement that changes a table's parts is about.</summary>
    public string TargetOf(string table) => _cluster is null ? $"sketch.{table}" : $"sketch.{table}_local ON CLUSTER '{_cluster}'";

    /// <summary>The statements that do here what one does on one server; each may be repeated like that one.</summary>
    /// <exception cref="ArgumentException">It is of none of the forms that the schema has.</exception>
    public IEnumerable<string> StatementsFor(string statement)
    {
        if (_cluster is null)
        {
            return [statement];
        }

        string on = $" ON CLUSTER '{_cluster}'";
        return statement switch
        {
            Database => [Database + on],
            _ when statement.StartsWith(Function, StringComparison.Ordinal) => [After(statement, Function, on)],
            _ when statement.StartsWith(View, StringComparison.Ordinal) => [After(statement, View, on)],
            _ when statement.StartsWith(Alter, StringComparison.Ordinal) => Altered(statement, on),
            _ when statement.StartsWith(Create, StringComparison.Ordinal) => Created(statement, on),
            _ => throw new ArgumentException($"statement is '{statement}'; allowed: those of the schema"),
        };
    }

    private string[] Created(string statement, string on)
    {
        string table = NameAfter(statement, Create);
        string local = Engine().Replace(After(statement, Create, "_local" + on), match =>
        {
            string arguments = match.Groups["arguments"].Value;
            return $"ENGINE = Replicated{match.Groups["engine"].Value}('/clickhouse/tables/{{shard}}/sketch/{table}', '{{replica}}'{(arguments.Length > 0 ? ", " + arguments : "")})";
        });
        local = local.Replace("non_replicated_deduplication_window = 10000", Window, StringComparison.Ordinal);
        string key = table switch { "checkpoints" => "log", "migrations" => "version", _ => "id" };
        return [local, $"{Create}{table}{on} AS sketch.{table}_local ENGINE = Distributed('{_cluster}', sketch, {table}_local, {key})"];
    }

    // Columns are everywhere; indexes, settings and lifetimes are of what holds the rows.
    private static string[] Altered(string statement, string on)
    {
        string local = After(statement, Alter, "_local" + on);
        return statement.Contains("ADD COLUMN", StringComparison.Ordinal)
            ? [local, Codec().Replace(After(statement, Alter, on), "")]
            : [local];
    }

    private static string After(string statement, string prefix, string text)
    {
        int end = prefix.Length + NameAfter(statement, prefix).Length;
        return statement[..end] + text + statement[end..];
    }

    private static string NameAfter(string statement, string prefix)
    {
        int end = prefix.Length;
        while (end < statement.Length && (char.IsAsciiLetterOrDigit(statement[end]) || statement[end] == '_'))
        {
            end++;
        }

        return statement[prefix.Length..end];
    }

    [GeneratedRegex(@"^[A-Za-z0-9_.-]{1,64}\z")]
    private static partial Regex Name();

    [GeneratedRegex(@"ENGINE = (?<engine>\w*MergeTree)(\((?<arguments>[^)]*)\))?")]
    private static partial Regex Engine();

    // A Distributed table has no bytes of its own.
    [GeneratedRegex(@" CODEC\((\([^()]*\)|[^()])*\)")]
    private static partial Regex Codec();
}
