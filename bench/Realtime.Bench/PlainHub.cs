using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sketch.Realtime;
using Sketch.Server.Commands.Bench;

namespace Sketch.Bench.Realtime;

/// <summary>What one writes without thinking much: a group a counter, and each update of a counter sent to its group as a message of its own.</summary>
internal sealed class PlainHub : Hub
{
    public const string ChildCommand = "plain-hub";
    public const string Path = "/plain";

    public Task Join(string[] names) => Task.WhenAll(names.Select(name => Groups.AddToGroupAsync(Context.ConnectionId, name)));

    /// <summary>Serves the hub, and sends all counters again and again, at most once in the interval.</summary>
    public static async Task<int> ServeAsync(int counters, int intervalMs)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSignalR().AddMessagePackProtocol();
        await using WebApplication app = builder.Build();
        app.MapHub<PlainHub>(Path);
        await app.StartAsync();
        Console.WriteLine(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        IHubContext<PlainHub> hub = app.Services.GetRequiredService<IHubContext<PlainHub>>();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(intervalMs));
        for (long value = 1; await timer.WaitForNextTickAsync(); value++)
        {
            for (int i = 0; i < counters; i++)
            {
                await hub.Clients.Group(BenchStream.Name(i)).SendAsync("OnValue", new LiveValue
                {
                    Namespace = "bench",
                    Name = BenchStream.Name(i),
                    Kind = "sum",
                    Tier = "approximate",
                    Value = value * i,
                    Lower = value * i,
                    Upper = value * i,
                    Confidence = 0.99,
                    Exact = false,
                    ExactAsOf = DateTime.UtcNow,
                    RatePerSecond = i,
                    Labels = new Dictionary<string, string>(),
                });
            }
        }

        return 0;
    }
}
