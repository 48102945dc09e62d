namespace Sketch.Realtime;

/// <summary>What an operator may set; the rest is in <see cref="RealtimeLimits"/>.</summary>
public sealed class RealtimeOptions
{
    /// <summary>The most subscriptions on this node, all connections together.</summary>
    public int MaxSubscriptions { get; set; } = 100_000;

    /// <summary>The most watched counters on this node: the sum of what every subscription may hold.</summary>
    public int MaxWatchedCounters { get; set; } = 2_000_000;

    /// <summary>
    /// The most different pairs of namespace and confidence that are watched on this node: each is read for itself at every tick.
    /// </summary>
    public int MaxReadGroups { get; set; } = 1_000;

    /// <summary>The folder in which the rules of alerts are kept; null keeps them in memory alone.</summary>
    public string? DataFolder { get; set; }

    /// <summary>Hosts that webhooks may go to beside this machine: names, addresses, or *.example.org for all names below.</summary>
    public IList<string> WebhookHosts { get; } = [];

    /// <summary>
    /// Origins (such as https://www.example.com) whose pages may open the hub, beside the node's own. A browser sends the page's origin, so
    /// that no foreign page reads a node on its visitor's machine.
    /// </summary>
    public IList<string> AllowedOrigins { get; } = [];
}
