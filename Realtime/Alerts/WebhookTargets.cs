using System.Net;
using System.Net.Sockets;

namespace Sketch.Realtime.Alerts;

/// <summary>
/// Where webhooks may go: this machine, and hosts that the operator names. Whoever may make a rule could else have the node call any address that it reaches.
/// Checked when a rule is put, and again at each connection, since a name may come to mean another address.
/// </summary>
public static class WebhookTargets
{
    private const int MaxUrlLength = 2_048;

    /// <summary>What is accepted, for refusals.</summary>
    public const string Allowed =
        "an http or https URL of at most 2048 characters without user and fragment, whose host is localhost, a loopback address, or one that --webhook-hosts names";

    /// <summary>The URL, or null when it is not allowed.</summary>
    public static Uri? Parse(string text, RealtimeOptions options)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(options);
        return text.Length <= MaxUrlLength
            && Uri.TryCreate(text, UriKind.Absolute, out var url)
            && url.Scheme is "http" or "https"
            && url.UserInfo.Length == 0
            && url.Fragment.Length == 0
            && (IsThisMachine(url.IdnHost) || IsNamed(url.IdnHost, options))
            ? url
            : null;
    }

    internal static SocketsHttpHandler Handler(RealtimeOptions options) => new()
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        ConnectCallback = async (context, cancellationToken) =>
        {
            string host = context.DnsEndPoint.Host;
            IPAddress[] addresses = await Dns.GetHostAddressesAsync(host, cancellationToken).ConfigureAwait(false);
            IPAddress[] allowed = [.. addresses.Where(address => IsThisMachine(host) ? IPAddress.IsLoopback(address) : IsNamed(host, options) && IsOrdinary(host, address))];
            if (allowed.Length == 0)
                throw new HttpRequestException($"{host} has no address that a webhook may go to.");
            Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(allowed, context.DnsEndPoint.Port, cancellationToken).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    };

    private static bool IsThisMachine(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    private static bool IsNamed(string host, RealtimeOptions options) => options.WebhookHosts.Any(named =>
        named.StartsWith("*.", StringComparison.Ordinal)
            ? host.EndsWith(named[1..], StringComparison.OrdinalIgnoreCase)
            : host.Trim('[', ']').Equals(named, StringComparison.OrdinalIgnoreCase));

    // Addresses that name services of the machine itself or of its hypervisor are meant only when they are named as such.
    private static bool IsOrdinary(string host, IPAddress address) =>
        IPAddress.TryParse(host.Trim('[', ']'), out _)
        || !(IPAddress.IsLoopback(address) || address.IsIPv6LinkLocal || address.IsIPv6Multicast || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)
            || address.MapToIPv4().GetAddressBytes() is [169, 254, ..] or [0, ..] or [>= 224, ..]);
}
