using System.Globalization;

namespace Sketch.Storage.Embedded;

/// <summary>The engine of this process: its path, the connection that keeps it alive, and how connections for requests are made.</summary>
internal sealed class EmbeddedEngine : IDisposable
{
    /// <summary>The database that holds everything, and the current one of every connection.</summary>
    public const string Database = "sketch";

    private readonly List<string> _arguments;
    private readonly ReaderLimits _limits;
    private readonly ChdbConnection _keeper;
    private readonly Lock _keeperLock = new();

    /// <summary>Starts the engine.</summary>
    /// <exception cref="ChdbException">It does not open the folder.</exception>
    public EmbeddedEngine(EmbeddedClickHouseOptions options)
    {
        string data = Path.GetFullPath(options.DataFolder);
        Directory.CreateDirectory(data);
        _limits = options.ReaderLimits;
        string path = Path.Combine(data, "engine");
        string config = EngineConfiguration.Write(data, path, options);
        _arguments = [$"--path={path}", $"--config-file={config}"];
        _keeper = ChdbConnection.Open(_arguments);
        Run(_keeper, $"CREATE DATABASE IF NOT EXISTS {Database} ENGINE = Atomic");
        Version = Scalar(_keeper, "SELECT version()");
        TimeZone = Scalar(_keeper, "SELECT timezone()");
    }

    public string Version { get; }

    public string TimeZone { get; }

    /// <summary>A connection of its own for a request or session.</summary>
    /// <param name="database">The current database.</param>
    /// <param name="settings">Settings to begin with.</param>
    /// <param name="reader">True limits it to reading.</param>
    public ChdbConnection Connect(string database, IReadOnlyDictionary<string, string> settings, bool reader)
    {
        ChdbConnection connection = ChdbConnection.Open(_arguments);
        try
        {
            Run(connection, $"USE {Quote(database, '`')}");
            Set(connection, settings, reader);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Sets settings on a connection; a reader's are held within the limits and closed behind them.</summary>
    public void Set(ChdbConnection connection, IReadOnlyDictionary<string, string> settings, bool reader)
    {
        Dictionary<string, string> all = new(settings, StringComparer.Ordinal);
        if (reader)
        {
            Lower(all, "max_execution_time", _limits.MaxSeconds);
            Lower(all, "max_memory_usage", _limits.MaxMemoryBytes);
            Lower(all, "max_result_rows", _limits.MaxResultRows);
            Lower(all, "max_result_bytes", _limits.MaxResultBytes);
            all["readonly"] = "2";
        }

        if (all.Count > 0)
        {
            Run(connection, "SET " + string.Join(", ", all.Select(s => $"{Quote(s.Key, '`')} = {Quote(s.Value, '\'')}")));
        }
    }

    /// <summary>
    /// Before a reader's result that is made in one piece: as text it takes several times its size, all of it in memory. Holds until the next
    /// <see cref="Set"/>.
    /// </summary>
    public void LimitWholeResult(ChdbConnection connection) =>
        Run(connection, string.Create(CultureInfo.InvariantCulture, $"SET max_result_bytes = {_limits.MaxResultBytes / 4}"));

    /// <summary>Stops the queries whose log_comment is this; they end with an error of their own.</summary>
    public void Kill(string mark)
    {
        lock (_keeperLock)
        {
            Run(_keeper, $"KILL QUERY WHERE Settings['log_comment'] = {Quote(mark, '\'')} ASYNC");
        }
    }

    /// <summary>A literal or name in quotes that ClickHouse reads back as it was.</summary>
    public static string Quote(string text, char quote) =>
        quote + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(quote.ToString(), "\\" + quote, StringComparison.Ordinal) + quote;

    public void Dispose()
    {
        _keeper.Dispose();
        _ = LibChdb.Shutdown();
    }

    private static void Lower(Dictionary<string, string> settings, string name, long limit)
    {
        bool lower = settings.TryGetValue(name, out string? text)
            && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double asked) && asked > 0 && asked <= limit;
        if (!lower)
        {
            settings[name] = limit.ToString(CultureInfo.InvariantCulture);
        }
    }

    private static void Run(ChdbConnection connection, string sql) => connection.Query(sql).Dispose();

    private static string Scalar(ChdbConnection connection, string sql)
    {
        using ChdbResult result = connection.Query(sql);
        return System.Text.Encoding.UTF8.GetString(result.Slice(0, (int)result.Length)).TrimEnd('\n');
    }
}
