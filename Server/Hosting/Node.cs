using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.Logging.Console;
using Sketch.Engine;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;
using Sketch.Engine.Reads;
using Sketch.Realtime;
using Sketch.Server.Rest;
using Sketch.Server.Sql;
using Sketch.Storage.Embedded.Http;
using Sketch.Storage.Store;

namespace Sketch.Server.Hosting;

/// <summary>
/// One node: data folder, listeners, log, store, engine, put together in this order and taken apart in the reverse one.
/// The listeners come first, so that a taken port is found before the log is opened and health pages answer during a long replay. ClickHouse, a process of its own,
/// gets ready beside them.
/// </summary>
internal sealed partial class Node : IAsyncDisposable
{
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(5);

    private readonly ServeOptions _options;
    private readonly EngineGate _gate = new();
    private readonly TaskCompletionSource<string> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SqlEndpoint _sql = new();
    private readonly NodeOperations _operations = new();
    private DataFolder? _folder;
    private WebApplication? _app;
    private IIncrementLog? _log;
    private readonly CancellationTokenSource _stopping = new();
    private Task<OpenStore>? _opening;
    private OpenStore? _store;
    private CountingEngine? _engine;
    private DemoTraffic? _demo;
    private LiveCuts? _cuts;

    private Node(ServeOptions options) => _options = options;

    /// <summary>Where REST, hub and dashboard answer.</summary>
    public Uri Http { get; private set; } = new("http://127.0.0.1");

    /// <summary>Where ClickHouse's HTTP interface answers.</summary>
    public Uri Sql { get; private set; } = new("http://127.0.0.1");

    /// <summary>The open engine.</summary>
    public CountingEngine Engine => _gate.Engine;

    /// <summary>How far it is while it opens.</summary>
    public OpeningProgress Opening => _gate.Progress;

    /// <summary>True when the node sends itself demo traffic.</summary>
    public bool SendsDemo => _demo is not null;

    /// <summary>Completes with the reason when the node can go no further; the process should end then.</summary>
    public Task<string> Failed => _failed.Task;

    /// <summary>Starts a node; it counts when this returns.</summary>
    /// <param name="options">What the operator chose.</param>
    /// <param name="seams">What it is made of.</param>
    /// <param name="configuration">Log levels.</param>
    /// <param name="listening">Called once the ports are known, before the log is read.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="SettingException">A setting can't be used: a folder or port is taken.</exception>
    public static async Task<Node> StartAsync(
        ServeOptions options, NodeSeams seams, IConfiguration configuration, Action<Node>? listening, CancellationToken cancellationToken)
    {
        Node node = new(options);
        try
        {
            node._folder = DataFolder.Open(options.Data);
            await node.ListenAsync(seams, configuration, cancellationToken).ConfigureAwait(false);
            listening?.Invoke(node);
            await node.OpenAsync(seams, cancellationToken).ConfigureAwait(false);
            return node;
        }
        catch
        {
            await node.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _gate.Stop();
        if (_demo is not null)
            await _demo.DisposeAsync().ConfigureAwait(false);
        if (_app is not null)
        {
            using CancellationTokenSource drain = new(DrainTime);
            await _app.StopAsync(drain.Token).ConfigureAwait(false);
        }

        await _operations.DisposeAsync().ConfigureAwait(false);
        _cuts?.Dispose();
        if (_engine is not null)
            await _engine.DisposeAsync().ConfigureAwait(false);
        if (_log is not null)
            await _log.DisposeAsync().ConfigureAwait(false);
        if (_opening is not null)
            await CloseStoreAsync(_opening).ConfigureAwait(false);
        _stopping.Dispose();
        if (_app is not null)
            await _app.DisposeAsync().ConfigureAwait(false);
        _folder?.Dispose();
    }

    private async Task CloseStoreAsync(Task<OpenStore> opening)
    {
        if (!opening.IsCompleted)
            await _stopping.CancelAsync().ConfigureAwait(false);
        await ((Task)opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!opening.IsCompletedSuccessfully)
            return; // it was told where it was awaited, or something else was before
        OpenStore store = await opening.ConfigureAwait(false);
        await store.Store.DisposeAsync().ConfigureAwait(false);
        foreach (IAsyncDisposable owned in store.Owned)
            await owned.DisposeAsync().ConfigureAwait(false);
    }

    private async Task ListenAsync(NodeSeams seams, IConfiguration configuration, CancellationToken cancellationToken)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ApplicationName = "sketch",
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddConfiguration(configuration);
        builder.Logging.ClearProviders();
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Error);
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.WebHost.ConfigureKestrel(kestrel => Listeners.Configure(kestrel, _options));
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>>(new ReceiveBuffers(64 << 10, maxKept: 256));
        builder.Services.AddSingleton<IHostLifetime, QuietLifetime>();
        builder.Services.AddSingleton(_options);
        builder.Services.AddSingleton(seams.Time);
        builder.Services.AddSingleton(_gate);
        builder.Services.AddSingleton(_sql);
        builder.Services.AddSingleton<ICounterReader>(_gate);
        builder.Services.AddSingleton<MetricsExport>();
        builder.Services.AddSingleton(_operations);
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, AnswersJson.Default));
        builder.Services.AddOpenApi(ApiDescription.Configure);
        builder.Services.AddSketchRealtime(realtime =>
        {
            realtime.DataFolder = _options.Data;
            foreach (string host in _options.WebhookHosts)
                realtime.WebhookHosts.Add(host);
        });

        _app = builder.Build();
        _opening = Task.Run(() => seams.OpenStore(_options, _app.Services.GetRequiredService<ILoggerFactory>(), seams.Time, _stopping.Token), CancellationToken.None);
        _app.UseMiddleware<ProblemAnswers>();
        _app.UseMiddleware<LocalOnly>();
        _app.MapWhen(context => context.Features.Get<Listeners.SqlDoor>() is not null, sql => sql.Run(_sql.InvokeAsync));
        _app.UseWebSockets();
        _app.MapSketchRest();
        _app.MapSketchRealtime();
        _app.MapOpenApi();
        try
        {
            await _app.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException failure)
        {
            throw Listeners.Taken(_options, failure);
        }

        (Http, Sql) = Listeners.Addresses(_app.Services.GetRequiredService<IServer>());
    }

    private async Task OpenAsync(NodeSeams seams, CancellationToken cancellationToken)
    {
        ILoggerFactory loggers = _app!.Services.GetRequiredService<ILoggerFactory>();
        _log = await seams.OpenLog(_options, seams.Time, cancellationToken).ConfigureAwait(false);
        if (_log is EmbeddedLog { Cut: { } cut })
            LogCutOff(loggers.CreateLogger<Node>(), cut.Bytes, cut.Path, cut.Offset, cut.Position);
        RetainedLog? retained = _log is EmbeddedLog
            ? new RetainedLog(_log, Path.Combine(_options.Data, NodeParts.LogFolder), Path.Combine(_options.Data, EngineSnapshot.Folder), _options.LogKeepBytes, _options.LogLimitBytes / 2)
            : null;
        _log = retained ?? _log;
        _store = await _opening!.WaitAsync(cancellationToken).ConfigureAwait(false);
        _engine = await CountingEngine.OpenAsync(
            new EngineOptions
            {
                DataFolder = _options.Data,
                WindowSeconds = _options.WindowSeconds,
                CheckpointEverySeconds = _options.CheckpointEverySeconds,
                SketchMemoryBytes = _options.SketchMemoryBytes,
                TotalsMemoryBytes = _options.TotalsMemoryBytes,
                Progress = _gate.Progress,
            },
            _log,
            _store.Store,
            seams.Time,
            loggers.CreateLogger<CountingEngine>(),
            cancellationToken).ConfigureAwait(false);
        Watch(_engine.Failed);
        if (_store.Store is ClickHouseStore store && retained is not null)
            _operations.Open(_options, _engine, store, retained, seams.Time, loggers);
        if (_store.Sql is not null)
            _sql.Open(WithLiveValues(_store.Sql, _engine, seams.Time));
        _gate.Open(_engine);

        bool demo = _options.Demo ?? (_options.Bare && _engine.Namespaces.All(n => n.Definition.Name == DemoTraffic.Namespace));
        if (demo)
            _demo = await DemoTraffic.StartAsync(_engine, seams.Time, cancellationToken).ConfigureAwait(false);
    }

    private RequestDelegate WithLiveValues(RequestDelegate sql, CountingEngine engine, TimeProvider time)
    {
        if (_store?.Store is not ClickHouseStore store)
            return sql;
        _cuts = new LiveCuts(engine, store, time);
        return new ProgressHeaders(new LiveSql(sql, _cuts).InvokeAsync, store.ReadProgressAsync, time).InvokeAsync;
    }

    // The engine's task ends with a failure, or without one when the engine is closed.
    private void Watch(Task failed) => _ = failed.ContinueWith(
        ended =>
        {
            string reason = ended.Exception?.GetBaseException().Message ?? "the engine stopped";
            if (ended.IsFaulted)
                _gate.Fail(reason);
            if (_gate.Status != "stopping")
                _failed.TrySetResult(reason);
        },
        CancellationToken.None,
        TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);

    [LoggerMessage(
        LogLevel.Warning,
        "The last {Bytes} bytes of {Path} were cut off at {Offset}: a write that the end of the process or the power interrupted, never acknowledged as durable. The log goes on at position {Position}")]
    private static partial void LogCutOff(ILogger logger, long bytes, string path, long offset, long position);

    // The command line owns the signals; a host in a test must not take them.
    private sealed class QuietLifetime : IHostLifetime
    {
        /// <inheritdoc/>
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        /// <inheritdoc/>
        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
