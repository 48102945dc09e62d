using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Sketch.Engine.Reads;
using Sketch.Realtime;
using Sketch.Realtime.Alerts;
using Sketch.Realtime.Broadcast;

namespace Sketch.Tests.Realtime;

/// <summary>The hub on a real Kestrel, on a free port, with a clock that the test moves.</summary>
internal sealed class LiveHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private LiveHost(WebApplication app, MemoryReader reader, FakeTimeProvider time)
    {
        _app = app;
        Reader = reader;
        Time = time;
        Url = new Uri(app.Urls.Single());
    }

    public MemoryReader Reader { get; }

    public FakeTimeProvider Time { get; }

    public Uri Url { get; }

    public AlertBook Alerts => _app.Services.GetRequiredService<AlertBook>();

    public Broadcaster Broadcaster => _app.Services.GetRequiredService<Broadcaster>();

    public static async Task<LiveHost> StartAsync(Action<RealtimeOptions>? configure = null)
    {
        var time = new FakeTimeProvider(MemoryReader.Checkpoint.AddSeconds(10));
        var reader = new MemoryReader { Time = time };
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<ICounterReader>(reader);
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddSketchRealtime(configure);
        var app = builder.Build();
        app.MapSketchRealtime();
        await app.StartAsync();
        return new LiveHost(app, reader, time);
    }

    public async Task<LiveClient> ConnectAsync(string protocol = "json")
    {
        var builder = new HubConnectionBuilder().WithUrl(new Uri(Url, RealtimeEndpointExtensions.HubPath));
        if (protocol == "messagepack")
            builder.AddMessagePackProtocol();
        var client = new LiveClient(builder.Build());
        await client.Connection.StartAsync();
        return client;
    }

    /// <summary>Frames without a connection in between: who asks for the next one is ready for it at once.</summary>
    public IAsyncEnumerator<CounterFrame> Watch(SubscriptionRequest request) =>
        _app.Services.GetRequiredService<LiveFrames>().WatchAsync(request, CancellationToken.None).GetAsyncEnumerator();

    /// <summary>Moves the clock, and waits until the loop has read whatever was due.</summary>
    public async Task TickAsync(int milliseconds = RealtimeLimits.MinIntervalMs)
    {
        Time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        long tick = (Time.GetUtcNow() - Time.Start).Ticks / TimeSpan.FromMilliseconds(RealtimeLimits.MinIntervalMs).Ticks;
        await Eventually.TrueAsync(() => Broadcaster.ServedTick >= tick, "the broadcaster's round");
    }

    /// <summary>Moves the clock by a second, and waits until alerts were judged.</summary>
    public async Task JudgeAsync()
    {
        var watch = _app.Services.GetRequiredService<AlertWatch>();
        long rounds = watch.Rounds;
        Time.Advance(AlertWatch.Every);
        await Eventually.TrueAsync(() => watch.Rounds > rounds, "the alerts to be judged");
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
