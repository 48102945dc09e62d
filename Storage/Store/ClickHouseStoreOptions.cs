using System.Net.Sockets;
using Sketch.Storage.Supervision;

namespace Sketch.Storage.Store;

/// <summary>Which ClickHouse the store uses.</summary>
public sealed record ClickHouseStoreOptions
{
    /// <summary>Its HTTP interface, asked anew for every connection, because the embedded process may come back on another port.</summary>
    public required Func<Uri> Address { get; init; }

    /// <summary>The user who may create the database sketch and write to it.</summary>
    public string User { get; init; } = "default";

    /// <summary>The user's password.</summary>
    public string Password { get; init; } = "";

    /// <summary>The cluster that the tables are made on, as the server's system.clusters has it; null for one server.</summary>
    public string? Cluster { get; init; }

    /// <summary>Compresses what travels; of no use on loopback.</summary>
    public bool Compress { get; init; } = true;

    /// <summary>How long one statement may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How many days the deltas of single windows are kept; totals and hours are kept longer.</summary>
    public int KeepDeltasDays { get; init; } = 2;

    /// <summary>The most rows of one insert; tests make it small to see windows of several chunks.</summary>
    internal int ChunkRows { get; init; } = StoreChunk.MaxRows;

    /// <summary>Called with the table before every insert; tests let it fail at each of them.</summary>
    internal Func<string, Task> BeforeInsert { get; init; } = _ => Task.CompletedTask;

    /// <summary>The embedded ClickHouse.</summary>
    /// <param name="process">Already running.</param>
    public static ClickHouseStoreOptions For(ClickHouseProcess process)
    {
        ArgumentNullException.ThrowIfNull(process);
        return new() { Address = () => process.Address, User = ClickHouseProcess.User, Password = process.Password, Compress = false };
    }

    /// <summary>A ClickHouse server, as http://user:password@host:8123/.</summary>
    /// <param name="url">Its HTTP interface.</param>
    /// <exception cref="ArgumentException">It is not such a URL.</exception>
    public static ClickHouseStoreOptions For(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https"))
        {
            throw new ArgumentException($"clickhouse is '{url}'; allowed: http://user:password@host:8123/ or https");
        }

        string[] user = uri.UserInfo.Split(':', 2);
        return new()
        {
            Address = () => uri,
            User = user[0].Length > 0 ? Uri.UnescapeDataString(user[0]) : "default",
            Password = user.Length > 1 ? Uri.UnescapeDataString(user[1]) : "",
        };
    }

    /// <summary>Connects to wherever the address points at that moment.</summary>
    internal SocketsHttpHandler CreateHandler() => new()
    {
        AutomaticDecompression = System.Net.DecompressionMethods.All,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        ConnectTimeout = TimeSpan.FromSeconds(10),
        ConnectCallback = async (_, cancellationToken) =>
        {
            Uri address = Address();
            Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(address.IdnHost, address.Port, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    };
}
