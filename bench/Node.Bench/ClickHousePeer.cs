using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Sketch.Server.Commands.Bench;
using Sketch.Storage.Embedded;
using Sketch.Storage.Supervision;

namespace Sketch.Bench.Node;

/// <summary>ClickHouse alone: every increment a row, summed up by its merges.</summary>
internal static class ClickHousePeer
{
    public const string ChildCommand = "clickhouse";

    private const int BlockRows = 1 << 19;

    public static async Task<double> RunAsync(BenchStream stream, int seconds)
    {
        string folder = Directory.CreateTempSubdirectory("clickhouse-").FullName;
        try
        {
            ClickHouseProcessOptions options = new()
            {
                Command = [Environment.ProcessPath!, ChildCommand],
                ClickHouse = new EmbeddedClickHouseOptions { DataFolder = folder },
            };
            await using ClickHouseProcess process = await ClickHouseProcess.StartAsync(options, NullLogger<ClickHouseProcess>.Instance, TimeProvider.System, default);
            using HttpClient http = new() { BaseAddress = process.Address };
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
                "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{ClickHouseProcess.User}:{process.Password}")));
            await PostAsync(http, "", Encoding.UTF8.GetBytes("CREATE DATABASE raw"));
            await PostAsync(http, "", Encoding.UTF8.GetBytes("CREATE TABLE raw.counts (id UInt64, delta Int64) ENGINE = SummingMergeTree ORDER BY id"));
            Stopwatch watch = Stopwatch.StartNew();
            long[] rows = await Task.WhenAll(Enumerable.Range(0, 2).Select(number => InsertAsync(http, stream, number, watch, seconds)));
            return rows.Sum() / watch.Elapsed.TotalSeconds;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<long> InsertAsync(HttpClient http, BenchStream stream, int number, Stopwatch watch, int seconds)
    {
        byte[] head = [2, .. VarUInt(BlockRows), .. Column("id", "UInt64")];
        byte[] middle = Column("delta", "Int64");
        byte[] block = new byte[head.Length + middle.Length + (BlockRows * 16)];
        head.CopyTo(block, 0);
        middle.CopyTo(block, head.Length + (BlockRows * 8));
        for (int i = 0; i < BlockRows; i++)
        {
            block[head.Length + (BlockRows * 8) + middle.Length + (i * 8)] = 1;
        }

        long rows = 0;
        for (long part = number; watch.Elapsed.TotalSeconds < seconds; part += 2)
        {
            stream.Part(part, BlockRows).Span.CopyTo(block.AsSpan(head.Length));
            await PostAsync(http, "?query=" + Uri.EscapeDataString("INSERT INTO raw.counts (id, delta) FORMAT Native"), block);
            rows += BlockRows;
        }

        return rows;
    }

    private static async Task PostAsync(HttpClient http, string query, byte[] body)
    {
        using HttpResponseMessage response = await http.PostAsync(new Uri(query, UriKind.Relative), new ByteArrayContent(body));
        if (!response.IsSuccessStatusCode)
        {
            throw new InvalidOperationException(await response.Content.ReadAsStringAsync());
        }
    }

    private static byte[] Column(string name, string type) => [(byte)name.Length, .. Encoding.ASCII.GetBytes(name), (byte)type.Length, .. Encoding.ASCII.GetBytes(type)];

    private static byte[] VarUInt(uint value)
    {
        List<byte> bytes = [];
        for (; value >= 0x80; value >>= 7)
        {
            bytes.Add((byte)(value | 0x80));
        }

        return [.. bytes, (byte)value];
    }
}
