using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Sketch.Server.Commands.Bench;

namespace Sketch.Bench.Node;

/// <summary>Servers that speak Redis' protocol, one INCRBY an increment, pipelined as deep as pays.</summary>
internal static class RespPeer
{
    private const int Pipeline = 1_000;
    private const int Connections = 2;

    public static async Task<double> RedisAsync(BenchStream stream, int seconds)
    {
        string folder = Directory.CreateTempSubdirectory("redis-").FullName;
        int port = FreePort();
        return await WithAsync(
            "redis-server", ["--port", $"{port}", "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "yes", "--appendfsync", "everysec"],
            folder, port, stream, seconds);
    }

    public static async Task<double> GarnetAsync(string executable, BenchStream stream, int seconds)
    {
        string folder = Directory.CreateTempSubdirectory("garnet-").FullName;
        int port = FreePort();
        return await WithAsync(
            executable, ["--port", $"{port}", "--bind", "127.0.0.1", "--aof", "--device-type", "RandomAccess", "--checkpointdir", folder, "--memory", "4g", "--index", "1g"],
            folder, port, stream, seconds);
    }

    private static async Task<double> WithAsync(string executable, string[] arguments, string folder, int port, BenchStream stream, int seconds)
    {
        using Process server = Start(executable, arguments);
        server.OutputDataReceived += (_, _) => { };
        server.ErrorDataReceived += (_, _) => { };
        server.BeginOutputReadLine();
        server.BeginErrorReadLine();
        try
        {
            Socket[] sockets = [.. await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => ConnectAsync(port)))];
            Stopwatch watch = Stopwatch.StartNew();
            long[] sent = await Task.WhenAll(sockets.Select((socket, number) => Task.Run(() => Send(socket, stream, number, seconds))));
            return sent.Sum() / (double)seconds;
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Process Start(string executable, string[] arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(executable, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        }
        catch (Win32Exception missing)
        {
            throw new FileNotFoundException($"{executable} can't be started: {missing.Message}. Redis: apt-get install redis-server. Garnet: dotnet tool install garnet-server --tool-path DIR", executable, missing);
        }
    }

    private static long Send(Socket socket, BenchStream stream, int number, int seconds)
    {
        using Socket connection = socket;
        byte[] command = Encoding.ASCII.GetBytes($"*3\r\n$6\r\nINCRBY\r\n$16\r\n{0:x16}\r\n$1\r\n1\r\n");
        int name = command.IndexOf("0000000000000000"u8);
        byte[] pipeline = [.. Enumerable.Repeat(command, Pipeline).SelectMany(c => c)];
        byte[] answers = new byte[64 << 10];
        Stopwatch watch = Stopwatch.StartNew();
        long sent = 0;
        for (long part = number; watch.Elapsed.TotalSeconds < seconds; part += Connections)
        {
            // Only the names are printed for each pipeline: a fiftieth of what a server takes for it, and it gets the same increments as all others.
            ReadOnlySpan<ulong> ids = MemoryMarshal.Cast<byte, ulong>(stream.Part(part, Pipeline).Span);
            for (int i = 0; i < ids.Length; i++)
            {
                ids[i].TryFormat(pipeline.AsSpan((i * command.Length) + name, 16), out _, "x16", CultureInfo.InvariantCulture);
            }

            connection.Send(pipeline);
            for (int lines = 0; lines < Pipeline;)
            {
                int received = connection.Receive(answers);
                if (received == 0)
                {
                    throw new InvalidOperationException("the server closed the connection");
                }

                lines += answers.AsSpan(0, received).Count((byte)'\n');
            }

            sent += Pipeline;
        }

        return sent;
    }

    private static async Task<Socket> ConnectAsync(int port)
    {
        for (Stopwatch watch = Stopwatch.StartNew(); ; await Task.Delay(100))
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port);
                return socket;
            }
            catch (SocketException) when (watch.Elapsed.TotalSeconds < 20)
            {
                socket.Dispose();
            }
        }
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
