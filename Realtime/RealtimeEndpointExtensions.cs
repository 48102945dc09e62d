using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Sketch.Realtime.Hub;
using Sketch.Realtime.Pages;

namespace Sketch.Realtime;

/// <summary>Maps the hub and the dashboard.</summary>
public static class RealtimeEndpointExtensions
{
    /// <summary>The hub's path.</summary>
    public const string HubPath = "/hubs/counters";

    /// <summary>Maps the hub at <see cref="HubPath"/> and the dashboard, from the folder wwwroot beside the program, at /.</summary>
    /// <param name="endpoints">Gets the routes.</param>
    /// <returns>The hub's conventions, for authorization and the like. The page itself holds no data.</returns>
    public static IEndpointConventionBuilder MapSketchRealtime(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var options = endpoints.ServiceProvider.GetRequiredService<IOptions<RealtimeOptions>>().Value;
        DashboardPages.Map(endpoints, Path.Combine(AppContext.BaseDirectory, "wwwroot"));
        var hub = endpoints.MapHub<CountersHub>(HubPath, connection => connection.TransportSendTimeout = RealtimeLimits.MaxSendTime);
        hub.Add(ShortSendBuffer.Use);
        hub.Add(endpoint => SameOrigin.Require(endpoint, options.AllowedOrigins));
        return hub;
    }
}
