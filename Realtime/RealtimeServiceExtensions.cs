using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Sketch.Engine.Reads;
using Sketch.Realtime.Alerts;
using Sketch.Realtime.Broadcast;

namespace Sketch.Realtime;

/// <summary>Registers the hub's services.</summary>
public static class RealtimeServiceExtensions
{
    /// <summary>
    /// Adds what the hub needs, except the <see cref="Engine.Reads.ICounterReader"/> it reads from, which the caller registers.
    /// </summary>
    /// <param name="services">Gets the services.</param>
    /// <param name="configure">Sets the node's limits and origins.</param>
    public static IServiceCollection AddSketchRealtime(this IServiceCollection services, Action<RealtimeOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = services.AddOptions<RealtimeOptions>()
            .Validate(o => o.MaxSubscriptions >= 1, "MaxSubscriptions is below 1; allowed 1 or more.")
            .Validate(o => o.MaxWatchedCounters >= 1, "MaxWatchedCounters is below 1; allowed 1 or more.")
            .Validate(o => o.MaxReadGroups >= 1, "MaxReadGroups is below 1; allowed 1 or more.")
            .ValidateOnStart();
        if (configure is not null)
            options.Configure(configure);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<Broadcaster>();
        services.AddHostedService(provider => provider.GetRequiredService<Broadcaster>());
        services.AddSingleton(provider => new LiveFrames(provider.GetRequiredService<Broadcaster>(), provider.GetRequiredService<ICounterReader>()));
        services.AddSingleton<AlertFeed>();
        services.AddSingleton<WebhookSender>();
        services.AddSingleton(provider => new AlertBook(
            provider.GetRequiredService<IOptions<RealtimeOptions>>(), provider.GetRequiredService<AlertFeed>(), provider.GetRequiredService<WebhookSender>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<AlertWatch>();
        services.AddHostedService(provider => provider.GetRequiredService<AlertWatch>());
        services.AddSignalR()
            .AddHubOptions<Hub.CountersHub>(hub =>
            {
                hub.MaximumReceiveMessageSize = RealtimeLimits.MaxRequestBytes;
                hub.AddFilter(new Hub.PlainRefusals());
            })
            .AddJsonProtocol(json => LiveFormats.Configure(json.PayloadSerializerOptions));
        services.AddSingleton<IHubProtocol, Hub.FrameProtocol>();
        return services;
    }
}
