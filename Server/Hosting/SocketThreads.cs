namespace Sketch.Server.Hosting;

/// <summary>
/// Has what follows a read or write of a socket run on the thread that waited for it, and one such thread for each processor. .NET reads both settings from the
/// environment, once, at the first socket; what an operator set there stays.
/// </summary>
internal static class SocketThreads
{
    private const string Inline = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
    private const string Count = "DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT";

    /// <summary>For processes that count or send; before their first socket.</summary>
    public static void Use()
    {
        Default(Inline, "1");
        Default(Count, $"{Environment.ProcessorCount}");
    }

    /// <summary>For processes whose work behind a socket takes long, whatever the process that started them uses.</summary>
    public static void UsePool() => Environment.SetEnvironmentVariable(Inline, "0");

    private static void Default(string name, string value)
    {
        if (Environment.GetEnvironmentVariable(name) is null)
            Environment.SetEnvironmentVariable(name, value);
    }
}
