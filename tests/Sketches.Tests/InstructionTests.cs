using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Sketch.Tests.Sketches;

/// <summary>`./test` runs this project three times; these make sure that the second and third time are what they say.</summary>
public sealed class InstructionTests
{
    [Fact]
    public void Without_AVX2_there_is_none()
    {
        if (Environment.GetEnvironmentVariable("DOTNET_EnableAVX2") == "0")
            Assert.False(Avx2.IsSupported || Vector256.IsHardwareAccelerated);
    }

    [Fact]
    public void Without_vector_instructions_there_are_none()
    {
        if (Environment.GetEnvironmentVariable("DOTNET_EnableHWIntrinsic") == "0")
            Assert.False(Avx2.IsSupported || Sse42.IsSupported || Vector128.IsHardwareAccelerated || Vector256.IsHardwareAccelerated);
    }
}
