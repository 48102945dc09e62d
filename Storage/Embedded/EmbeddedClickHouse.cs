using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sketch.Storage.Embedded.Http;

namespace Sketch.Storage.Embedded;

/// <summary>
/// The embedded ClickHouse process: libchdb behind ClickHouse's HTTP interface on a loopback port. Its parent writes one line with the writer's secret
/// to its standard input and keeps that open: when it closes, for whatever reason, this process ends.
/// </summary>
public static partial class EmbeddedClickHouse
{
    /// <summary>The line on standard output that says where it listens begins so; the port follows.</summary>
    internal const string ReadyLine = "embedded-clickhouse-ready ";

    /// <summary>Longer than a process takes that was told to stop.</summary>
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    /// <summary>The process's main: reads <see cref="EmbeddedClickHouseOptions.Parse"/>'s arguments, then runs until it is told to stop.</summary>
    /// <param name="arguments">As made by <see cref="EmbeddedClickHouseOptions.ToArguments"/>.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> MainAsync(IReadOnlyList<string> arguments)
    {
        try
        {
            // Before the first await: confinement begins with the thread it is called on.
            EmbeddedClickHouseOptions options = EmbeddedClickHouseOptions.Parse(arguments);
            if (options.Confine && !Confinement.Enter(options, LibChdbPath.Resolve(options.LibraryPath)))
            {
                Console.WriteLine("This kernel has no Landlock: the process can read every file that its user can.");
            }

            return await RunUntilToldAsync(options);
        }
        catch (Exception error) when (error is ArgumentException or ChdbException or IOException or DllNotFoundException)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return 1;
        }
    }

    private static async Task<int> RunUntilToldAsync(EmbeddedClickHouseOptions options)
    {
        using CancellationTokenSource stop = new();
        using PosixSignalRegistration term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        // A terminal sends Ctrl-C to the whole group; the parent decides when this process ends.
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
        try
        {
            return await RunAsync(options, stop.Token);
        }
        catch (OperationCanceledException)
        {
            return 0;
        }

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
    }

    /// <summary>Runs until standard input ends or the token is cancelled, then closes the engine.</summary>
    /// <param name="options">How to run.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(EmbeddedClickHouseOptions options, CancellationToken cancellationToken)
    {
        Stream input = Console.OpenStandardInput();
        string secret = await ReadLineAsync(input, cancellationToken);
        if (secret.Length < 32)
        {
            throw new ArgumentException($"the secret on standard input has {secret.Length} characters; allowed: 32 or more");
        }

        // Every statement blocks a thread of the pool while the engine works on it.
        ThreadPool.SetMinThreads(64, 8);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _ = WatchAsync(input, stop);
        await using FileStream folder = await DataFolderLock.TakeAsync(options.DataFolder, LockPatience, stop.Token);
        LibChdb.Load(LibChdbPath.Resolve(options.LibraryPath));
        EmbeddedEngine engine = new(options);
        using ClickHouseHttp face = new(engine, secret, options.ReaderLimits, TimeProvider.System);
        await using (WebApplication app = await ListenAsync(face, options.Port, cancellationToken))
        {
            string address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
            Console.Out.WriteLine(ReadyLine + new Uri(address).Port.ToString(CultureInfo.InvariantCulture));
            await Task.Delay(Timeout.Infinite, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // Whatever hangs in the engine must not keep the process: its data is safe at any moment.
            using Timer last = new(_ => Exit(0), null, StopTimeout * 2, Timeout.InfiniteTimeSpan);
            using CancellationTokenSource deadline = new(StopTimeout);
            await app.StopAsync(deadline.Token);
            face.CloseSessions();
            engine.Dispose();
        }

        return 0;
    }

    private static async Task<WebApplication> ListenAsync(ClickHouseHttp face, int port, CancellationToken cancellationToken)
    {
        WebApplication app = Build(face, port);
        try
        {
            await app.StartAsync(cancellationToken);
            return app;
        }
        catch (IOException) when (port != 0)
        {
            await app.DisposeAsync();
            return await ListenAsync(face, 0, cancellationToken);
        }
    }

    private static WebApplication Build(ClickHouseHttp face, int port)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrel();
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>>(new ReceiveBuffers(256 << 10, maxKept: 64)); // a window has megabytes
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddSimpleConsole(console => console.SingleLine = true);
        builder.Services.Configure<KestrelServerOptions>(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MaxRequestLineSize = 1 << 20;
            kestrel.Limits.MaxRequestBufferSize = 2 << 20;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, port);
        });
        WebApplication app = builder.Build();
        app.Run(context => IsPing(context.Request) ? context.Response.WriteAsync("Ok.\n") : face.HandleAsync(context));
        return app;
    }

    private static bool IsPing(HttpRequest request) =>
        HttpMethods.IsGet(request.Method)
        && (request.Path == "/ping" || (request.Path == "/" && !request.Query.ContainsKey("query")));

    private static async Task WatchAsync(Stream input, CancellationTokenSource stop)
    {
        byte[] ignored = new byte[256];
        while (await input.ReadAsync(ignored) > 0)
        {
        }

        await stop.CancelAsync();
    }

    private static async Task<string> ReadLineAsync(Stream input, CancellationToken cancellationToken)
    {
        StringBuilder line = new();
        byte[] one = new byte[1];
        while (await input.ReadAsync(one, cancellationToken) > 0 && one[0] != '\n')
        {
            line.Append((char)one[0]);
        }

        return line.ToString();
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int code);
}
