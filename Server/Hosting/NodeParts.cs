using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;
using Sketch.Server.Sql;
using Sketch.Storage.Embedded;
using Sketch.Storage.Store;
using Sketch.Storage.Supervision;

namespace Sketch.Server.Hosting;

/// <summary>The parts that a node of this version runs on: the embedded log, and ClickHouse, embedded or a server.</summary>
internal static class NodeParts
{
    /// <summary>The subcommand, absent from help, by which the executable becomes the embedded ClickHouse.</summary>
    public const string ClickHouseCommand = "clickhouse";

    /// <summary>The log's folder within the data folder.</summary>
    public const string LogFolder = "log";

    private const string ClickHouseFolder = "clickhouse";
    private const string Executable = "sketch";

    /// <summary>What a node is put together from.</summary>
    public static NodeSeams Real { get; } = new() { OpenLog = OpenLogAsync, OpenStore = OpenStoreAsync };

    private static async Task<IIncrementLog> OpenLogAsync(ServeOptions options, TimeProvider time, CancellationToken cancellationToken) =>
        await EmbeddedLog.OpenAsync(new EmbeddedLogOptions { Folder = Path.Combine(options.Data, LogFolder), MaxBytes = options.LogLimitBytes }, time, cancellationToken).ConfigureAwait(false);

    private static Task<OpenStore> OpenStoreAsync(
        ServeOptions options, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken) =>
        options switch
        {
            { ClickHouse: { } url } => OpenServerAsync(url, options.ClickHouseCluster, loggers, cancellationToken),
            { ClickHouseCluster: { } cluster } => throw new SettingException("--clickhouse-cluster", cluster, "a cluster only with --clickhouse, which names one of its servers"),
            _ => OpenEmbeddedAsync(options, loggers, time, cancellationToken),
        };

    private static async Task<OpenStore> OpenEmbeddedAsync(
        ServeOptions options, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        ClickHouseProcessOptions chosen = new()
        {
            Command = [.. Self(), ClickHouseCommand],
            ClickHouse = new EmbeddedClickHouseOptions { DataFolder = Path.Combine(options.Data, ClickHouseFolder) },
        };
        ClickHouseProcess process = await ClickHouseProcess
            .StartAsync(chosen, loggers.CreateLogger<ClickHouseProcess>(), time, cancellationToken).ConfigureAwait(false);
        try
        {
            ICheckpointStore store = await ClickHouseStore
                .OpenAsync(ClickHouseStoreOptions.For(process), loggers.CreateLogger<ClickHouseStore>(), cancellationToken).ConfigureAwait(false);
            // Statements pass the readers' gate in that process: nobody but the node knows its writer's secret.
            SqlProxy proxy = new(() => process.Address);
            return new OpenStore(store, proxy.InvokeAsync, [proxy, process]);
        }
        catch
        {
            await process.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async Task<OpenStore> OpenServerAsync(Uri url, string? cluster, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        ClickHouseStoreOptions chosen = ClickHouseStoreOptions.For(url.ToString()) with { Cluster = cluster };
        ICheckpointStore store = await ClickHouseStore
            .OpenAsync(chosen, loggers.CreateLogger<ClickHouseStore>(), cancellationToken).ConfigureAwait(false);
        SqlProxy proxy = new(chosen.Address);
        return new OpenStore(store, new GatedSql(proxy, chosen).InvokeAsync, [proxy]);
    }

    // This executable again: the apphost as built, the shim of an installed tool, or, under a test host, the one beside the assembly.
    internal static string[] Self()
    {
        if (Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == Executable)
            return [path];
        string beside = Path.Combine(AppContext.BaseDirectory, Executable);
        return File.Exists(beside) ? [beside] : ["dotnet", beside + ".dll"];
    }
}
