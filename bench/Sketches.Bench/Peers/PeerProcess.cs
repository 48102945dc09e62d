using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace Sketch.Bench.Sketches.Peers;

/// <summary>
/// Apache DataSketches C++ in a process of its own that stays up for the whole run, so that measurements alternate. Compiled on the
/// spot with g++ from datasketches.cpp beside this file and the checkout that DATASKETCHES_CPP names.
/// </summary>
internal sealed class PeerProcess : IDisposable
{
    private const string Variable = "DATASKETCHES_CPP";

    private readonly Process _process;

    private PeerProcess(Process process) => _process = process;

    /// <summary>Null when there is no checkout: the rest can be measured without.</summary>
    public static PeerProcess? Start(string folder)
    {
        string? checkout = Environment.GetEnvironmentVariable(Variable);
        if (checkout is null)
        {
            Console.WriteLine($"{Variable} is not set; it names a checkout of apache/datasketches-cpp. Going on without that peer.");
            return null;
        }

        string program = Path.Combine(folder, "datasketches");
        string[] includes = [.. ((string[])["common", "count", "hll", "fi"]).Select(part => $"-I{Path.Combine(checkout, part, "include")}")];
        using Process compiler = Process.Start("g++", ["-std=c++17", "-O3", "-march=native", .. includes, Source(), "-o", program]);
        compiler.WaitForExit();
        if (compiler.ExitCode != 0)
            throw new InvalidOperationException($"g++ exited with {compiler.ExitCode}; {Variable} is {checkout}");
        return new PeerProcess(Process.Start(new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true })!);
    }

    /// <summary>Asks for numbers.</summary>
    public double[] Ask(FormattableString command)
    {
        _process.StandardInput.WriteLine(command.ToString(CultureInfo.InvariantCulture));
        string answer = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("the peer ended");
        return answer.StartsWith("error", StringComparison.Ordinal) || answer.StartsWith("unknown", StringComparison.Ordinal)
            ? throw new InvalidOperationException(answer)
            : [.. answer.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static string Source([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "datasketches.cpp");
}
