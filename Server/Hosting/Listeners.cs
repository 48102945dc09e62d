using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Sketch.Server.Rest;
using Sketch.Server.Sql;

namespace Sketch.Server.Hosting;

/// <summary>The node's listeners, all on 127.0.0.1.</summary>
internal static class Listeners
{
    // Ten thousand dashboards and those who count; 40 KiB or so each, and a file descriptor, of which services get 20,000 and more.
    private const int MaxConnections = 16_384;

    /// <summary>Sets up the ports and the limits that bound what a client can hold.</summary>
    public static void Configure(KestrelServerOptions kestrel, ServeOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = RequestBody.MaxBytes;
        kestrel.Limits.MaxConcurrentConnections = MaxConnections;
        kestrel.Limits.MaxConcurrentUpgradedConnections = MaxConnections;
        kestrel.Listen(IPAddress.Loopback, options.HttpPort, listen => listen.Protocols = HttpProtocols.Http1);
        kestrel.Listen(IPAddress.Loopback, options.SqlPort, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(next => connection =>
            {
                connection.Features.Set(SqlDoor.Instance);
                return EarlyHeaders.UseAsync(connection, next);
            });
        });
    }

    /// <summary>The addresses once started: HTTP, then SQL.</summary>
    public static (Uri Http, Uri Sql) Addresses(IServer server)
    {
        ICollection<string> addresses = server.Features.Get<IServerAddressesFeature>()!.Addresses;
        return (new Uri(addresses.First()), new Uri(addresses.Last()));
    }

    /// <summary>The sentence for a port that is taken.</summary>
    public static SettingException Taken(ServeOptions options, IOException failure)
    {
        bool sql = failure.Message.Contains($":{options.SqlPort}", StringComparison.Ordinal);
        (string field, int port) = sql ? ("--sql-port", options.SqlPort) : ("--http-port", options.HttpPort);
        string why = failure.InnerException is AddressInUseException ? "which another process uses" : failure.Message;
        return new SettingException(field, $"{port}, {why}", "a free port, or 0 to take any", ExitCode.InUse);
    }

    /// <summary>Marks connections that came in through the SQL port.</summary>
    internal sealed class SqlDoor
    {
        /// <summary>The mark.</summary>
        public static SqlDoor Instance { get; } = new();
    }
}
